-- code: I32
-- name_vi: Tỷ lệ hồ sơ giải quyết đúng hạn
-- name_en: Dossiers resolved on time
-- formula: 100 · Σ(early + on time) / Σ(early + on time + late); TINH, XA: by level
-- theme: services
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: share %
-- variant: TINH share % | Cấp tỉnh | Departments
-- variant: XA share % | Cấp xã | Communes
-- direction: up
-- reads: service_statistics organizations
-- source: D08; M3, M8
select s.period_no, s.organization_code as organization, o.commune_code as commune, v.variant, 'service_statistics' as dataset, s.entity_id,
       s.resolved_early + s.resolved_on_time as numerator,
       s.resolved_early + s.resolved_on_time + s.resolved_late as denominator, 0 as unknown
from service_statistics_in s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
cross join lateral (values (''), (o.level)) v (variant)
where v.variant is not null
