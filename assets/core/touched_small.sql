-- The same where the newer assessment shares its rows with the one that it follows at the same date: what they have in
-- common asserts the same on both sides, so only what either has alone can differ.
create temporary table _touched on commit drop as
select o._key as entity_id, false as whole
from staging.{name} o
where o._assessment = any (%(own)s) and o._key is not null
union
select o._key, false
from staging.dropped d
join staging.{name} o on o._assessment = %(base)s and o._sheet = d.sheet and o._row = d.row
where d.assessment_no = any (%(changed)s) and o._key is not null
