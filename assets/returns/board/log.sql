-- Who was due to send what and what became of it.
select dataset, sender, period, period_first, period_last, due_on, due, received_at, state, nothing_to_report, rows_read,
       rows_accepted, rows_faulty, reminders
from mart_v1.submission_log
order by dataset, sender, period_first, period
