-- The rows of the touched entities in every submission that is in force or leaned on, with those that a submission shares
-- with its base. Found by entity first: the rows view would go through all rows of the base for each.
-- found = the rows of the touched entities (found_by_key.sql, or found_by_record.sql where records may be parts of entities).
-- in_days = whether a submission is of the periods of what changed; inside = only what is, but for entities touched as a whole.
create temporary table _hit on commit drop as
with found as (
    {found}
),
speaking as (
    select assessment_no, {in_days} as inside from _force union select assessment_no, {in_days} from _shadow
)
select s.assessment_no, o._assessment as home, o._sheet as sheet, o._row as row, o.key, o._value as value, o._ok as ok, o.vf, o.vt
from found o
join speaking s on s.assessment_no = o._assessment{inside}
union all
select s.assessment_no, o._assessment, o._sheet, o._row, o.key, o._value, o._ok, o.vf, o.vt
from speaking s
join intake.assessment a using (assessment_no)
join found o on o._assessment = a.base_assessment{inside}
where not exists (
    select from staging.dropped d where d.assessment_no = a.assessment_no and d.sheet = o._sheet and d.row = o._row
)
