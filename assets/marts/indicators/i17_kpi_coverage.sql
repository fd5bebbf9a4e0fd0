-- code: I17
-- name_vi: Tỷ lệ người được đánh giá KPI
-- name_en: KPI coverage
-- formula: 100 · count of persons at work all month with an approved evaluation / count of persons at work all month
-- theme: kpi
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month
-- measure: share %
-- direction: up
-- reads: kpi_evaluations staff organizations
-- source: D06, D03; M14; NĐ 335/2025
with approved as (
    select k.period_no, coalesce(m.entity_id, k.citizen_id) as person, min(k.entity_id) as entity_id
    from kpi_evaluations_in k
    left join member m on m.record = k.citizen_id
    where k.approved_on is not null
    group by 1, 2
),
present as (
    select s.period_no, s.entity_id, s.organization_code, coalesce(o.commune_code, s.commune_code) as commune
    from staff_at s
    left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
    where coalesce(s.started_on, s.valid_from) <= s.first_day and (s.left_on is null or s.left_on >= s.day)
)
select p.period_no, p.organization_code as organization, p.commune, 'staff' as dataset, p.entity_id,
       (a.person is not null)::integer as numerator, 1 as denominator, 0 as unknown
from present p
left join approved a on a.period_no = p.period_no and a.person = p.entity_id
union all
-- what it comes from: the evaluations, which count nothing themselves
select p.period_no, p.organization_code, p.commune, 'kpi_evaluations', a.entity_id, null, null, null
from present p
join approved a on a.period_no = p.period_no and a.person = p.entity_id
