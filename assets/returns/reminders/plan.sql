-- The reminders of a day (parameter today): each period that is not settled, with the step that it has reached. Steps that were sent
-- or refused before are not there again; one that failed, or of which it is not known whether it went, is.
with today as (
    select number from core.calendar where day = %(today)s and works
),
line as (
    select d.sender, d.dataset, d.period, d.due_on, d.state, d.responsible, d.note,
           case when d.due_on >= %(today)s then c.number - t.number end as days_left,
           case when d.due_on < %(today)s then t.number - c.number end as days_past
    from today t
    cross join ops.due d
    join core.calendar c on c.day = d.due_on
    -- what was received and is held, or waits to be read, is not the sender's to mend
    where d.state in ('OPEN', 'OVERDUE', 'REJECTED')
),
stepped as (
    select l.*,
           case when l.days_left = 0 then 'DUE'
                when l.days_left > 0 then (select 'BEFORE_' || min(b) from unnest(%(before)s::int[]) b where b >= l.days_left)
                when l.days_past between 1 and %(until)s then 'AFTER_' || 1 + %(every)s * ((l.days_past - 1) / %(every)s)
           end as step
    from line l
),
standing as (
    select r.sender, r.dataset, r.period, r.step, r.counted, r.letter_id, e.state, e.made_at
    from ops.reminder r
    join ops.letter e using (letter_id)
),
wanted as (
    select s.*,
           s.step like 'AFTER%%' and not exists (
               select from standing o
               where (o.sender, o.dataset, o.period) = (s.sender, s.dataset, s.period) and o.counted and o.step <> s.step
                 and o.state in ('sending', 'sent')
           ) as counted
    from stepped s
    left join standing o using (sender, dataset, period, step)
    where s.step is not null
      -- one that was begun later than now was begun before the clock was put back
      and (o.state is null or o.state = 'failed'
           or (o.state = 'sending' and (o.made_at <= %(now)s - interval '15 minutes' or o.made_at > %(now)s + interval '15 minutes')))
),
-- who has been reminded how often in the year of the day that was missed, but for what is sent again now
known as (
    select r.responsible, extract(year from r.due_on) as year, count(*) as number
    from ops.reminder r
    join ops.letter e using (letter_id)
    where r.counted and e.state in ('sending', 'sent')
      and not exists (
          select from wanted w where (w.sender, w.dataset, w.period, w.step) = (r.sender, r.dataset, r.period, r.step)
      )
    group by 1, 2
)
select w.sender, w.dataset, w.period, w.step, w.due_on, w.state, w.responsible, w.days_left, w.days_past, w.counted, n.name as sender_name,
       a.name as responsible_name,
       coalesce(k.number, 0) + count(*) filter (where w.counted) over (
           partition by w.responsible, extract(year from w.due_on) order by w.due_on, w.dataset, w.sender, w.period
       ) as number
from wanted w
left join known k on k.responsible = w.responsible and k.year = extract(year from w.due_on)
left join core.sender n on n.code = w.sender
left join core.sender a on a.code = w.responsible
order by w.responsible, w.due_on, w.dataset, w.sender, w.period
