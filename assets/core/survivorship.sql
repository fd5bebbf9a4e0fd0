-- Where several senders speak of one entity, cut time at every boundary and let one sender's word stand in each piece:
-- the contract's precedence first, then the later as-of, then the later receipt. Parameter %(precedence)s: senders, best first.
with several as (
    select entity_id from _span group by entity_id having count(distinct sender) > 1
),
taken as (
    delete from _span s using several m where m.entity_id = s.entity_id returning s.*
),
boundary as (
    select entity_id, valid_from as at from taken
    union
    select entity_id, valid_to from taken where valid_to is not null
),
piece as (
    select entity_id, at, lead(at) over (partition by entity_id order by at) as until from boundary
)
insert into _span
select distinct on (p.entity_id, p.at)
       p.entity_id, t.sender, p.at, p.until, t.home, t.sheet, t.row, t.value, t.carried, t.as_of, t.seq
from piece p
join taken t on t.entity_id = p.entity_id and t.valid_from <= p.at and (t.valid_to is null or t.valid_to > p.at)
order by p.entity_id, p.at,
         coalesce(array_position(%(precedence)s::text[], t.sender), 2147483647), t.as_of desc, t.seq desc, t.sender
