-- Rows of the staged set that name predecessors, and the days on which each key is named. Parameter %(assessments)s; scope = the
-- key columns but the last, last = that one.
select o._key, o._home, o._sheet, o._home_row, o._assessment, o._ok, u.sender, u.as_of, o.{succeeds}, o.{last}, {scope}
from staging.{rows} o
join intake.assessment a on a.assessment_no = o._assessment
join intake.submission u on u.submission_no = a.submission_no
where o._assessment = any (%(assessments)s::bigint[]) and o._key is not null and u.sender <> 'STEWARD'
order by o._key, u.as_of, o._assessment, o._sheet, o._row
