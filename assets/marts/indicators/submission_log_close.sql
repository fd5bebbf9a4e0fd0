-- End the lines of the log that are no longer so.
update core.submission_log l
set publish_to = %(publish)s
where l.publish_to is null
  and not exists (
      select from _log w
      where (w.dataset, w.sender, w.period) = (l.dataset, l.sender, l.period)
        and (w.period_first, w.period_last, w.due_on, w.due, w.received_at, w.state, w.nothing_to_report, w.rows_read, w.rows_accepted,
             w.rows_faulty, w.required_cells, w.required_cells_empty, w.reminders, w.content_hash, w.submission_id)
            is not distinct from
            (l.period_first, l.period_last, l.due_on, l.due, l.received_at, l.state, l.nothing_to_report, l.rows_read, l.rows_accepted,
             l.rows_faulty, l.required_cells, l.required_cells_empty, l.reminders, l.content_hash, l.submission_id)
  )
