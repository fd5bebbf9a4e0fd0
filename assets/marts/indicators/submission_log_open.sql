-- Begin the lines of the log that are new.
insert into core.submission_log (
    dataset, sender, period, period_first, period_last, due_on, due, received_at, state, nothing_to_report, rows_read, rows_accepted,
    rows_faulty, required_cells, required_cells_empty, reminders, content_hash, submission_id, publish_from
)
select w.dataset, w.sender, w.period, w.period_first, w.period_last, w.due_on, w.due, w.received_at, w.state, w.nothing_to_report,
       w.rows_read, w.rows_accepted, w.rows_faulty, w.required_cells, w.required_cells_empty, w.reminders, w.content_hash,
       w.submission_id, %(publish)s
from _log w
where not exists (
    select from core.submission_log l
    where l.publish_to is null and (w.dataset, w.sender, w.period) = (l.dataset, l.sender, l.period)
)
