-- Submissions that a run read, or whose state its publish changed.
select u.submission_id, u.dataset, u.sender, u.period, u.state, u.file_name, d.origin, u.received_at, u.problems,
       u.rows_read, u.rows_accepted, u.rows_quarantined, u.rows_set_aside, u.rows_flagged
from intake.submission u
join intake.delivery d using (delivery_id)
where u.submission_id = any (%(ids)s) or u.state_publish = %(publish)s
order by u.received_at, u.submission_id
