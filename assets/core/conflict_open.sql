-- Begin in system time the conflicts that are new.
insert into core.conflict (dataset, entity_id, attribute, valid_from, valid_to, chosen, others, senders, rule, since, publish_from)
select %(dataset)s, d.entity_id, d.attribute, d.valid_from, d.valid_to, d.chosen, d.others,
       array(select distinct s from (
           select d.chosen ->> 'sender' as s union select o ->> 'sender' from jsonb_array_elements(d.others) o
       ) x order by s),
       d.rule, d.since, %(publish)s
from _conflict d
where not exists (
    select from core.conflict c
    where c.dataset = %(dataset)s and c.entity_id = d.entity_id and c.publish_to is null
      and d.attribute = c.attribute and d.valid_from = c.valid_from
      and d.valid_to is not distinct from c.valid_to and d.chosen = c.chosen and d.others = c.others
      and d.rule = c.rule and d.since = c.since
)
