-- What senders say differently of one entity and what is true today or later, as readers see the warehouse. What is past in a list
-- that is kept up to date is nobody's work any more; figures of a period (%(lasting)s: such datasets) stay as true as they were.
select c.dataset, c.entity_id, c.attribute, c.valid_from, c.valid_to, c.chosen, c.others, c.senders, c.rule, c.since
from core.conflict c
where c.publish_from <= %(shows)s and (c.publish_to is null or c.publish_to > %(shows)s)
  and (c.valid_to is null or c.valid_to > (now() at time zone 'Asia/Ho_Chi_Minh')::date or c.dataset = any (%(lasting)s::text[]))
order by c.dataset, c.attribute, c.since, c.entity_id, c.valid_from
