-- Write what differs.
insert into ops.due as o (sender, dataset, period, period_first, period_last, opens_on, due_on, due_at, state, late, working_days_late,
                          received_at, settled_at, submission_id, nothing_to_report, responsible, note, derived_at)
select sender, dataset, period, period_first, period_last, opens_on, due_on, due_at, state, late, working_days_late,
       received_at, settled_at, submission_id, nothing_to_report, responsible, note, %(now)s
from _due
on conflict (sender, dataset, period) do update
set (period_first, period_last, opens_on, due_on, due_at, state, late, working_days_late, received_at, settled_at, submission_id,
     nothing_to_report, responsible, note, derived_at)
  = (excluded.period_first, excluded.period_last, excluded.opens_on, excluded.due_on, excluded.due_at, excluded.state, excluded.late,
     excluded.working_days_late, excluded.received_at, excluded.settled_at, excluded.submission_id, excluded.nothing_to_report,
     excluded.responsible, excluded.note, excluded.derived_at)
where (o.period_first, o.period_last, o.opens_on, o.due_on, o.due_at, o.state, o.late, o.working_days_late, o.received_at, o.settled_at,
       o.submission_id, o.nothing_to_report, o.responsible, o.note)
   is distinct from
      (excluded.period_first, excluded.period_last, excluded.opens_on, excluded.due_on, excluded.due_at, excluded.state, excluded.late,
       excluded.working_days_late, excluded.received_at, excluded.settled_at, excluded.submission_id, excluded.nothing_to_report,
       excluded.responsible, excluded.note)
