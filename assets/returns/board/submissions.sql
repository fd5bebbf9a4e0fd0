-- Submissions of a sender, or of all where the parameter sender is null; the newest first. No value of a row.
select u.submission_id, u.dataset, u.sender, u.period, u.received_at, u.file_name, u.state, t.label as state_label, u.rows_read,
       u.rows_accepted, u.rows_quarantined, u.rows_set_aside,
       coalesce((select array_agg(p ->> 'code') from jsonb_array_elements(u.problems) p), '{}') as codes
from intake.submission u
join intake.state t using (state)
where %(sender)s::text is null or u.sender = %(sender)s
order by u.received_at desc, u.submission_no desc
