-- code: I10
-- name_vi: Tỷ lệ biên chế cấp xã có người
-- name_en: Commune staffing rate
-- formula: 100 · count of cadres and civil servants at work in bodies of communes / Σ civil-servant posts of these bodies
-- theme: staff
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: share %
-- direction: up
-- reads: staff annual_quotas organizations
-- source: D03, D05; M21
select s.period_no, coalesce(o.commune_code, s.commune_code) as commune, 'staff' as dataset, s.entity_id,
       case when s.employment_type in ('CAN_BO', 'CONG_CHUC') then 1 else 0 end as numerator, 0 as denominator,
       case when s.employment_type is null then 1 else 0 end as unknown
from staff_at s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
where coalesce(o.level, case when s.commune_code is not null then 'XA' end) = 'XA'
  and (s.started_on is null or s.started_on <= s.day) and (s.left_on is null or s.left_on >= s.day)
union all
select q.period_no, o.commune_code, 'annual_quotas', q.entity_id, 0, q.civil_servant_posts, 0
from annual_quotas_at q
join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code and o.level = 'XA'
