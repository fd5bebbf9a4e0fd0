-- Rows whose cell for an organisation's code could not be read or is blank, with what they call it: the text in the cell, else a
-- column that holds its name. fine = nothing else is wrong with the row. Parameters %(assessments)s, %(column)s, %(curable)s;
-- column, named = columns of o (named may be null), place = the commune of the row; wrong = how rows are joined with what is wrong with
-- them: without a column of names only those are looked at that have anything.
with wrong as (
    select v.assessment_no, v.sheet, v.row, bool_and(v.column_name = %(column)s::text and v.rule = any (%(curable)s::text[])) as fine,
           bool_or(v.column_name = %(column)s::text and v.rule = any (%(curable)s::text[])) as unread
    from staging.verdict v
    where v.assessment_no = any (%(assessments)s::bigint[]) and v.severity = 'error'
    group by v.assessment_no, v.sheet, v.row
)
select u.sender, coalesce({place}, s.commune_code) as place, o._assessment as assessment_no, o._sheet as sheet, o._row as row,
       coalesce(nullif(q.raw ->> %(column)s::text, ''), {named}) as name, coalesce(w.fine, true) as cured
from staging.{name} o
{wrong} wrong w on w.assessment_no = o._assessment and w.sheet = o._sheet and w.row = o._row
left join staging.quarantine q on q.assessment_no = o._assessment and q.sheet = o._sheet and q.row = o._row
join intake.assessment a on a.assessment_no = o._assessment
join intake.submission u on u.submission_no = a.submission_no
left join core.sender s on s.code = u.sender
where o.{column} is null and o._assessment = any (%(assessments)s::bigint[]) and (w.unread or {named} is not null)
  and u.sender <> 'STEWARD'
order by u.received_at, u.content, o._sheet, o._row
