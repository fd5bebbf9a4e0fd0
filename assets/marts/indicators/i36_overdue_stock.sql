-- code: I36
-- name_vi: Số hồ sơ đang quá hạn
-- name_en: Overdue stock
-- formula: Σ pending and overdue on D: a stock, no part of I32
-- theme: services
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: count hồ sơ
-- direction: down
-- reads: service_statistics organizations
-- source: D08; M3, M8
select s.period_no, s.organization_code as organization, o.commune_code as commune, 'service_statistics' as dataset, s.entity_id,
       s.pending_overdue as numerator, null::integer as denominator, 0 as unknown
from service_statistics_at s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
