-- code: I45
-- name_vi: Số lần nhắc trong năm
-- name_en: Reminders in the year
-- theme: data
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: count lần
-- variant: FRESHNESS most ngày | Số ngày từ kỳ dữ liệu gần nhất | Days since the newest accepted period
-- variant: LEVEL1 count đơn vị | Đơn vị bị nhắc đến mức 1 | Senders at the first level
-- variant: LEVEL2 count đơn vị | Đơn vị bị nhắc đến mức 2 | Senders at the second level
-- formula: Σ reminders since the beginning of the year; FRESHNESS: D − last day of the newest accepted period, the oldest of the datasets; LEVEL1, LEVEL2: senders whose reminders reach the norm
-- direction: down
-- reads: submission_log
-- norms: REMINDERS_LEVEL1 REMINDERS_LEVEL2
-- target_for: COMMUNE ORGANIZATION
-- source: D00; M11; QĐ 2421/QĐ-UBND
with said as (
    select l.*, s.commune_code as commune, case when s.commune_code is null then l.sender end as organization
    from submission_log_at l
    join core.sender s on s.code = l.sender
    where l.due
),
year as (
    select period_no, organization, commune, sender, sum(reminders) as reminders
    from said
    where period_last >= date_trunc('year', day)
    group by 1, 2, 3, 4
)
select l.period_no, l.organization, l.commune, '' as variant, 'submission_log' as dataset, null::bigint as entity_id, l.submission_id,
       l.reminders::numeric as numerator, null::numeric as denominator, 0 as unknown
from said l
where l.period_last >= date_trunc('year', l.day)
union all
select l.period_no, l.organization, l.commune, 'FRESHNESS', 'submission_log', null,
       (array_agg(l.submission_id order by l.period_last desc) filter (where l.state in ('DAT', 'DAT_MOT_PHAN')))[1],
       l.day - coalesce(max(l.period_last) filter (where l.state in ('DAT', 'DAT_MOT_PHAN')), min(l.period_first)), null, 0
from said l
group by l.period_no, l.organization, l.commune, l.sender, l.dataset, l.day
union all
select y.period_no, y.organization, y.commune, v.variant, 'submission_log', null, null, (y.reminders >= n.value)::integer, null, 0
from year y
cross join (values ('LEVEL1', 'REMINDERS_LEVEL1'), ('LEVEL2', 'REMINDERS_LEVEL2')) v (variant, norm_code)
left join norm n on n.period_no = y.period_no and n.norm_code = v.norm_code
