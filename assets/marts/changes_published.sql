-- The chain of publishes: the one that readers saw until now, and the last one that the feed has anything of.
update core.publish p
set previous = last.number,
    changed_before = (select max(c.number) from core.publish c where c.state = 'published' and c.changes > 0 and c.number < p.number)
from (select max(number) as number from core.publish where state = 'published' and number < %(publish)s) last
where p.number = %(publish)s
