-- code: I47
-- name_vi: Tỷ lệ bổ nhiệm được công khai
-- name_en: Appointments published
-- formula: 100 · Σ appointments published / Σ appointments
-- theme: key_posts
-- grain: ORGANIZATION BLOC PROVINCE
-- periods: year
-- measure: share %
-- direction: up
-- reads: annual_quotas organizations
-- source: D05; M18
-- hidden_below: 5
select q.period_no, q.organization_code as organization, o.bloc, 'annual_quotas' as dataset, q.entity_id,
       q.appointments_published as numerator, q.appointments as denominator, 0 as unknown
from annual_quotas_at q
left join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code
