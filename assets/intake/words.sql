-- Submissions whose state has not been told yet, in order of their number.
select
    submission_no, submission_id, delivery_id, dataset, period, sender, state, received_at, as_of,
    rows_read, rows_accepted, rows_quarantined, rows_set_aside, rows_flagged, state_publish,
    array(select distinct p ->> 'code' from jsonb_array_elements(problems) p order by 1) as codes
from intake.submission
where announced_state is distinct from state and submission_no > %(after)s
order by submission_no
limit %(batch)s
