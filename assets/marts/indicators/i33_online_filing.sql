-- code: I33
-- name_vi: Tỷ lệ hồ sơ nộp trực tuyến
-- name_en: Online filing
-- formula: 100 · Σ received online / Σ received, of procedures that can be filed online
-- theme: services
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: share %
-- direction: up
-- reads: service_statistics organizations
-- source: D08; M8; NĐ 42/2022
select s.period_no, s.organization_code as organization, o.commune_code as commune, 'service_statistics' as dataset, s.entity_id,
       s.received_online as numerator, s.received_online + s.received_in_person + s.received_by_post as denominator, 0 as unknown
from service_statistics_in s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
where s.service_level <> 'KHONG'
