-- Periods that are over and not closed, with what is missing or undecided in them. A plan that is due before its period
-- (2026/KE_HOACH) belongs to that period.
with expected as (
    select d.dataset, split_part(d.period, '/', 1) as period, max(d.due_on) as due_on, max(d.period_last) as period_last,
           count(*) as expected, count(*) filter (where d.state in ('OVERDUE', 'OPEN', 'UPCOMING')) as missing,
           (array_agg(d.sender order by d.sender) filter (where d.state in ('OVERDUE', 'OPEN', 'UPCOMING')))[:10] as missing_first
    from ops.due d
    where d.dataset = any (%(datasets)s)
    group by 1, 2
),
came as (
    select u.dataset, u.period, max(u.period_last) as period_last,
           count(*) filter (where u.state = 'held') as held, count(*) filter (where u.state in ('received', 'staged')) as waiting
    from intake.submission u
    where u.dataset = any (%(datasets)s) and u.period is not null
    group by 1, 2
)
select dataset, period, e.due_on, coalesce(e.expected, 0) as expected, coalesce(e.missing, 0) as missing,
       coalesce(e.missing_first, '{}') as missing_first, coalesce(c.held, 0) as held, coalesce(c.waiting, 0) as waiting,
       k.reopened_at is not null as reopened
from expected e
full join came c using (dataset, period)
left join ops.close k using (dataset, period)
where k.closed_at is null and greatest(e.period_last, c.period_last) < %(today)s
order by coalesce(e.due_on, c.period_last), dataset, period
