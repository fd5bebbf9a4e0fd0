-- As hits.sql, for a dataset in which records may be parts of entities: the rows of all records of the touched entities, and
-- the rows without a readable key that were linked to them; a cured one speaks as if its key had been read.
create temporary table _hit on commit drop as
with found as (
    select o._assessment, o._sheet, o._row, t.entity_id, o._value, o._ok, ({own_from})::date as vf, ({own_to})::date as vt
    from _record t
    join staging.{name} o on o._key = t.record
    union all
    select o._assessment, o._sheet, o._row, t.entity_id, o._value, l.cured, ({own_from})::date, ({own_to})::date
    from _touched t
    join core.link l on l.dataset = %(dataset)s and l.entity_id = t.entity_id and l.publish_to is null
    join staging.{name} o on o._assessment = l.assessment_no and o._sheet = l.sheet and o._row = l.row
),
speaking as (
    select assessment_no from _force union select assessment_no from _shadow
)
select s.assessment_no, o._assessment as home, o._sheet as sheet, o._row as row, o.entity_id as key, o._value as value,
       o._ok as ok, o.vf, o.vt
from found o
join speaking s on s.assessment_no = o._assessment
union all
select s.assessment_no, o._assessment, o._sheet, o._row, o.entity_id, o._value, o._ok, o.vf, o.vt
from speaking s
join intake.assessment a using (assessment_no)
join found o on o._assessment = a.base_assessment
where not exists (
    select from staging.dropped d where d.assessment_no = a.assessment_no and d.sheet = o._sheet and d.row = o._row
)
