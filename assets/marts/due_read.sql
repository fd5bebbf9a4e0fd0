-- What is expected, as it was last derived.
select d.dataset, d.sender, s.name as sender_name, d.period, d.period_first, d.period_last, d.opens_on, d.due_on, d.due_at, d.state, d.late,
       d.working_days_late, d.received_at, d.settled_at, d.submission_id, d.nothing_to_report, d.responsible, d.note
from ops.due d
left join core.sender s on s.code = d.sender
where (%(dataset)s::text is null or d.dataset = %(dataset)s)
  and (%(sender)s::text is null or %(sender)s in (d.sender, d.responsible))
  and (d.state = any (%(states)s) or cardinality(%(states)s::text[]) = 0)
  and (%(until)s::date is null or d.due_on <= %(until)s)
order by d.due_on, d.dataset, d.sender, d.period
