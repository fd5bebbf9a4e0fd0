-- code: I30
-- name_vi: Mức tự bảo đảm chi thường xuyên
-- name_en: Degree of self-financing
-- formula: 100 · Σ own revenue / Σ recurrent spending, of what was done (THUC_HIEN) in the year
-- theme: autonomy
-- grain: ORGANIZATION FIELD PROVINCE
-- periods: year
-- measure: share %
-- direction: up
-- reads: public_service_units
-- source: D09; M5; NĐ 60/2021, NĐ 111/2025
select u.period_no, u.organization_code as organization, u.field, 'public_service_units' as dataset, u.entity_id,
       u.own_revenue as numerator, u.recurrent_spending as denominator, 0 as unknown
from public_service_units_at u
where u.kind = 'THUC_HIEN'
