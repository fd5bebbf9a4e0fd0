-- From which day on what {name} says of a number is said of another person than in the last publish, or of one for the first time.
select min(h.valid_from)
from core.{name} h
join core.member m on m.record = h.citizen_id
where m.dataset = 'staff' and (m.publish_from = %(publish)s or m.publish_to = %(publish)s)
  and (h.publish_to is null or h.publish_to = %(publish)s)
