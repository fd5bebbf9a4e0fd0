-- What is past its day and does not stand, by dataset and period.
select dataset, period, due_on, state, count(*) as senders, (array_agg(sender order by sender))[:10] as first
from ops.due
where state in ('OVERDUE', 'REJECTED', 'HELD') and coalesce(%(now)s::timestamptz, now()) >= due_at
group by dataset, period, due_on, state
order by due_on, dataset, period, state
