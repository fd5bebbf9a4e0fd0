-- Begin in system time what they say now and did not say before.
insert into core.{name} (entity_id, valid_from, valid_to, publish_from, value_hash, carried_since, {columns})
select d.entity_id, d.valid_from, d.valid_to, %(publish)s, d.value_hash, d.carried_since, {said_columns}
from _desired d
join {source} o on o._assessment = d.home and o._sheet = d.sheet and o._row = d.row
where not exists (
    select from core.{name} c
    where c.entity_id = d.entity_id and c.publish_to is null
      and d.valid_from = c.valid_from and d.valid_to is not distinct from c.valid_to
      and d.value_hash = c.value_hash and d.carried_since is not distinct from c.carried_since
)
