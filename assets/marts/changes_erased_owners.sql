-- Whose rows of erased entities were at any publish: whoever saw them is told.
insert into core.change_owner (owner, publish, sequence, had, has)
select distinct o.owner, %(publish)s::bigint, e.n, true, false
from unnest(%(datasets)s::text[], %(entities)s::bigint[]) with ordinality e (dataset, entity_id, n)
join core.{table} h on h.entity_id = e.entity_id
cross join lateral unnest({own}) o (owner)
where e.dataset = %(dataset)s and o.owner is not null
  and not exists (select from core.publish p where p.number = h.publish_from and p.state = 'open')
