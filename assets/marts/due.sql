-- What is expected, and what became of it, as of a moment (parameter now): each period of a dataset from each sender that must send it and
-- that there was on the period's last day. Of several submissions the one that stands best counts; what was withdrawn was not sent.
-- A file that was refused before its dataset or period was understood counts for those of its sidecar and folder.
create temporary table _due on commit drop as
with recursive period as (
    select * from unnest(%(dataset)s::text[], %(period)s::text[], %(first)s::date[], %(last)s::date[], %(opens)s::date[], %(day)s::date[])
        p (dataset, period, first, last, opens_on, due_on)
),
wanted as (
    select distinct p.*, s.code as sender, s.valid_from, s.valid_to
    from period p
    join unnest(%(of)s::text[], %(wanted)s::text[]) w (dataset, sender) using (dataset)
    join core.sender s on w.sender in (s.code, 'any', case s.kind when 'commune' then 'communes' else 'departments' end)
    where coalesce(s.valid_from <= p.last, true) and coalesce(s.valid_to > p.last, true)
),
-- who answers for a sender that has ended: its successor, or the successor's
followed as (
    select s.code as sender, s.code as by, 0 as steps from core.sender s
    union all
    select f.sender, s.successor, f.steps + 1
    from followed f
    join core.sender s on s.code = f.by
    where s.successor is not null and s.valid_to <= %(today)s and f.steps < 20
),
responsible as (
    select distinct on (sender) sender, by from followed order by sender, steps desc
),
sent as (
    select coalesce(u.dataset, d.sidecar ->> 'dataset') as dataset, u.sender, coalesce(u.period, d.period) || case when e.early then '/' || e.value else '' end as period, u.received_at,
           u.submission_id, u.state,
           array_position(array['accepted', 'partly', 'superseded', 'repeated', 'held', 'staged', 'received', 'rejected'], u.state) as rank,
           (u.rows_read = 0 and coalesce((d.sidecar ->> 'nothing_to_report')::boolean, false))
           or u.problems @> '[{"code": "NOTHING_TO_REPORT"}]' as nothing_to_report
    from intake.submission u
    join intake.delivery d using (delivery_id)
    left join _early e on e.assessment_no = u.assessment_no
    where u.state <> 'withdrawn' and u.withdraws is null and u.received_at <= %(now)s
),
best as (
    select distinct on (dataset, sender, period) *, min(received_at) over w as first_received,
           min(received_at) filter (where rank <= 4) over w as settled_at
    from sent
    window w as (partition by dataset, sender, period)
    order by dataset, sender, period, rank, received_at desc, submission_id
),
placed as (
    select w.*, b.state, b.first_received, b.settled_at, b.submission_id, coalesce(b.nothing_to_report, false) as nothing_to_report,
           ((w.due_on + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh') as due_at
    from wanted w
    left join best b using (dataset, sender, period)
)
select p.sender, p.dataset, p.period, p.first as period_first, p.last as period_last, p.opens_on, p.due_on, p.due_at,
       case when p.state in ('accepted', 'superseded', 'repeated') then 'ACCEPTED'
            when p.state in ('partly', 'held', 'rejected') then upper(p.state)
            when p.state is not null then 'RECEIVED'
            when %(now)s >= p.due_at then 'OVERDUE'
            when %(today)s >= p.opens_on then 'OPEN'
            else 'UPCOMING' end as state,
       coalesce(p.first_received, %(now)s) >= p.due_at as late,
       case when coalesce(p.first_received, %(now)s) >= p.due_at then greatest(0, t.number - d.number) else 0 end as working_days_late,
       p.first_received as received_at, p.settled_at, p.submission_id, p.nothing_to_report, r.by as responsible,
       case when p.valid_to <= %(today)s then case when r.by = p.sender then 'ENDED' else 'MERGED' end
            when p.valid_from between p.first + 1 and p.last then 'NEW' end as note
from placed p
join responsible r using (sender)
join core.calendar d on d.day = p.due_on
join core.calendar t on t.day = (coalesce(p.first_received, %(now)s) at time zone 'Asia/Ho_Chi_Minh')::date
