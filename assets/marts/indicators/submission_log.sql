-- The log as it is now, from the standings of the open publish. Of several submissions of one sender for one period the one that
-- stands best counts; received is the first of all.
create temporary table _log on commit drop as
with waived as ({waived}),
required as (
    select * from unnest(%(datasets)s::text[], %(required)s::bigint[]) r (dataset, cells)
),
sent as (
    select u.dataset, u.sender,
           case when e.early then u.period || '/' || e.value else u.period end as period,
           case when e.early then date_trunc('month', u.period_first - 1)::date else u.period_first end as period_first,
           case when e.early then u.period_first - 1 else u.period_last end as period_last,
           u.received_at, u.content, u.submission_id,
           case when s.standing = 'in_force' and a.rows_quarantined > coalesce(w.rows, 0) + s.cured then 'DAT_MOT_PHAN'
                when s.standing in ('in_force', 'superseded', 'repeated') then 'DAT'
                when s.standing = 'held' then 'TIEP_NHAN'
                else 'TU_CHOI' end as state,
           case when s.standing = 'in_force' then 1 when s.standing in ('superseded', 'repeated') then 2
                when s.standing = 'held' then 3 else 4 end as rank,
           u.rows_read,
           case when e.alone is false then e.good else coalesce(a.rows_accepted + coalesce(w.rows, 0) + s.cured, 0) end as rows_accepted,
           case when e.alone is false then e.bad else coalesce(a.rows_quarantined - coalesce(w.rows, 0) - s.cured, 0) end as rows_faulty,
           case when e.alone is false then e.good + e.bad else coalesce(a.rows_accepted + a.rows_quarantined, 0) end as rows_kept,
           a.assessment_no,
           (u.rows_read = 0 and coalesce((d.sidecar ->> 'nothing_to_report')::boolean, false))
           or u.problems @> '[{{"code": "NOTHING_TO_REPORT"}}]' as nothing_to_report
    from intake.submission u
    join intake.delivery d using (delivery_id)
    left join core.standing s on s.submission_no = u.submission_no and s.publish_to is null
    left join intake.assessment a on a.assessment_no = s.assessment_no
    left join waived w on w.assessment_no = s.assessment_no
    left join _early e on e.assessment_no = s.assessment_no
    where u.dataset is not null and u.period_first is not null and u.sender in (select code from core.sender)
      and (s.submission_no is not null or u.state = 'rejected')
      -- what was withdrawn was not sent, and the word that withdraws it is no report
      and s.standing is distinct from 'withdrawn' and u.withdraws is null
),
best as (
    select distinct on (dataset, sender, period) *, min(received_at) over (partition by dataset, sender, period) as first_received
    from sent
    order by dataset, sender, period, rank, received_at desc, submission_id
),
blank as (
    select v.assessment_no, count(distinct (v.sheet, v.row, v.column_name)) as cells
    from staging.verdict v
    where v.rule like 'MISSING%%' and v.assessment_no in (select assessment_no from best)
    group by 1
),
whole as (
    select coalesce(b.dataset, e.dataset) as dataset, coalesce(b.sender, e.sender) as sender, coalesce(b.period, e.period) as period,
           coalesce(b.period_first, e.period_first) as period_first, coalesce(b.period_last, e.period_last) as period_last,
           e.due_on, e.due_on is not null as due, b.first_received as received_at, coalesce(b.state, 'CHUA_NOP') as state,
           coalesce(b.nothing_to_report, false) as nothing_to_report,
           coalesce(b.rows_read, 0) as rows_read, coalesce(b.rows_accepted, 0) as rows_accepted,
           coalesce(b.rows_faulty, 0) as rows_faulty, b.rows_kept, b.assessment_no, b.content as content_hash, b.submission_id
    from best b
    full join _due e using (dataset, sender, period)
)
select w.dataset, w.sender, w.period, w.period_first, w.period_last, w.due_on, w.due, w.received_at, w.state, w.nothing_to_report,
       w.rows_read, w.rows_accepted, w.rows_faulty, coalesce(w.rows_kept * r.cells, 0) as required_cells,
       least(coalesce(k.cells, 0), coalesce(w.rows_kept * r.cells, 0)) as required_cells_empty,
       case when w.due and (w.received_at is null or (w.received_at at time zone 'Asia/Ho_Chi_Minh')::date > w.due_on)
            then 1 else 0 end as reminders,
       w.content_hash, w.submission_id
from whole w
left join required r using (dataset)
left join blank k using (assessment_no)
