-- Rows in quarantine that have no readable key; cured = nothing else is wrong with them, but for cells of which it is known what
-- they name. Parameters %(assessments)s, %(key)s
-- (name of the key column), %(curable)s (codes).
select u.sender, o._assessment as assessment_no, o._sheet as sheet, o._row as row, u.submission_no as submission,
       v.cured, {roles}
from staging.{name} o
join intake.assessment a on a.assessment_no = o._assessment
join intake.submission u on u.submission_no = a.submission_no
cross join lateral (
    select bool_and(
               (e.column_name = %(key)s and e.rule = any (%(curable)s::text[]))
               or exists (select from core.mention m where m.assessment_no = o._assessment and m.sheet = o._sheet
                          and m.row = o._row and m.column_name = e.column_name and m.publish_to is null)
           ) as cured
    from staging.verdict e
    where e.assessment_no = o._assessment and e.sheet = o._sheet and e.row = o._row and e.severity = 'error'
) v
where o._assessment = any (%(assessments)s::bigint[]) and o._key is null and not o._ok
order by u.received_at, u.content, o._sheet, o._row
