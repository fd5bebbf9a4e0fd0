-- Rows of each assessment, those that are due before their period (parameter value of the column) apart from the others.
insert into _early
select assessment_no, early, %(value)s, good, bad, count(*) over (partition by assessment_no) = 1
from (
    select r._assessment as assessment_no, coalesce(r.{column} = %(value)s, false) as early,
           count(*) filter (where r._ok) as good, count(*) filter (where not r._ok) as bad
    from staging.{rows} r
    group by 1, 2
) parts
