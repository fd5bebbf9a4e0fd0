-- code: I25
-- name_vi: Tỷ lệ người được bồi dưỡng đủ số giờ
-- name_en: Staff trained for the hours set
-- formula: 100 · count(hours of training ≥ norm) / count(at work); who has no figure stays in the denominator and is unknown
-- theme: staff
-- grain: ORGANIZATION COMMUNE BLOC PROVINCE
-- periods: quarter
-- measure: share %
-- direction: up
-- reads: staff organizations
-- norms: TRAINING_HOURS_MIN
-- source: D03; M15, M19
select s.period_no, s.organization_code as organization, coalesce(o.commune_code, s.commune_code) as commune, o.bloc,
       'staff' as dataset, s.entity_id,
       case when n.value is not null then (coalesce(s.training_hours, 0) >= n.value)::integer end as numerator, 1 as denominator,
       case when s.training_hours is null then 1 else 0 end as unknown
from staff_at s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
left join norm n on n.period_no = s.period_no and n.norm_code = 'TRAINING_HOURS_MIN'
where (s.started_on is null or s.started_on <= s.day) and (s.left_on is null or s.left_on >= s.day)
