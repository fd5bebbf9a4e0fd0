-- Conflicts as of the publish that readers see, whose end is not known. Parameter %(dataset)s: one dataset, or null for all.
select c.dataset, c.entity_id, c.attribute, c.valid_from, c.valid_to, c.chosen, c.others, c.senders, c.rule, c.since
from core.conflict c, core.pointer p
where c.publish_from <= p.shows and (c.publish_to is null or c.publish_to > p.shows)
  and c.valid_to is null and (%(dataset)s::text is null or c.dataset = %(dataset)s)
order by c.dataset, c.entity_id, c.attribute
