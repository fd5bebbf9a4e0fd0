-- Submissions by dataset and state, with their rows.
select dataset, state, count(*) as submissions, sum(rows_accepted)::bigint as rows_accepted,
       sum(rows_quarantined)::bigint as rows_quarantined, sum(rows_set_aside)::bigint as rows_set_aside
from intake.submission
group by dataset, state
order by dataset nulls last, state
