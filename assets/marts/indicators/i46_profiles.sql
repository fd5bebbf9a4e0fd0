-- code: I46
-- name_vi: Mức đầy đủ của hồ sơ cán bộ
-- name_en: Completeness of profiles
-- theme: data
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter
-- measure: share %
-- variant: LATE count sự kiện | Số thay đổi báo cáo muộn | Changes told too late
-- formula: 100 · filled required cells of profiles and posts / required cells (D03, D04); LATE: posts begun in the period that were first told more working days later than the norm
-- direction: up
-- reads: assignments staff organizations
-- norms: EVENT_LAG_DAYS
-- source: D03, D04; M13; NĐ 27/2026
select s.period_no, s.organization_code as organization, coalesce(o.commune_code, s.commune_code) as commune, '' as variant,
       'staff' as dataset, s.entity_id,
       num_nonnulls(s.citizen_id, s.full_name, s.date_of_birth, s.gender, s.employment_type, s.education, s.specialism,
                    s.organization_code, s.started_on)::numeric as numerator,
       9::numeric as denominator, 0 as unknown
from staff_at s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
union all
select a.period_no, a.organization_code, coalesce(o.commune_code, a.commune_code), '', 'assignments', a.entity_id,
       num_nonnulls(a.citizen_id, a.organization_code, a.post, a.is_main, a.started_on,
                    case when a.post = 'CHUYEN_MON' then a.specialism end,
                    case when a.post in ('BI_THU', 'CT_UBND', 'CN_UBKT') then a.local_origin end),
       5 + case when a.post in ('CHUYEN_MON', 'BI_THU', 'CT_UBND', 'CN_UBKT') then 1 else 0 end, 0
from assignments_at a
left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
union all
select a.period_no, a.organization_code, coalesce(o.commune_code, a.commune_code), 'LATE', 'assignments', a.entity_id,
       case when n.value is not null then (
           select t.number - b.number > n.value
           from core.calendar b
           join core.calendar t on t.day = (r.received_at at time zone 'Asia/Ho_Chi_Minh')::date
           where b.day = a.started_on
       )::integer end, null, 0
from assignments_begun a
join received r on r.entity_id = a.entity_id
left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
left join norm n on n.period_no = a.period_no and n.norm_code = 'EVENT_LAG_DAYS'
