-- Cut time at every boundary of what is said of an entity: who says what in each piece. _n is the place in the contract's
-- order: its precedence, then the later as-of, then the later receipt. _differs = not one and the same row from all.
create temporary table _word on commit drop as
with taken as (
    select s.* from _span s join _several using (entity_id)
),
boundary as (
    select entity_id, valid_from as at from taken
    union
    select entity_id, valid_to from taken where valid_to is not null
),
piece as (
    select entity_id, at, lead(at) over (partition by entity_id order by at) as until from boundary
)
select p.entity_id as _entity, p.at as _at, p.until as _until, t.sender as _sender, t.as_of as _as_of, t.seq as _seq,
       t.carried as _carried, t.home as _home, t.sheet as _sheet, t.row as _row, t.value as _value,
       row_number() over (
           partition by p.entity_id, p.at order by {rank}, t.as_of desc, t.seq desc, t.sender, t.value
       ) as _n,
       min(t.value) over w <> max(t.value) over w or bool_or(t.carried) over w <> bool_and(t.carried) over w as _differs,
       {o_columns}{votes}
from piece p
join taken t on t.entity_id = p.entity_id and t.valid_from <= p.at and (t.valid_to is null or t.valid_to > p.at)
join {source} o on o._assessment = t.home and o._sheet = t.sheet and o._row = t.row
window w as (partition by p.entity_id, p.at)
