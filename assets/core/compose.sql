-- The row that stands in each piece in which words differ: each unit of columns from the first word in its own order.
create temporary table _composed on commit drop as
with chosen as (
    select _entity, _at, _until, array_agg(_carried order by _n) as _carried,
           array_remove(array[{differing}]::text[], null) as _differing,
           {winners},
           {gathered}
    from _word w
    where _differs
    group by _entity, _at, _until
)
select _entity, _at, _until, _differing, {carried_on} as _carry, {chosen}
from chosen
