-- code: I29
-- name_vi: Tỷ lệ đơn vị sự nghiệp tự bảo đảm chi thường xuyên
-- name_en: Self-financing public service units
-- formula: 100 · count(autonomy group 1 or 2) / count of units, of what was done (THUC_HIEN) in the year
-- theme: autonomy
-- grain: FIELD PROVINCE
-- periods: year
-- measure: share %
-- direction: up
-- reads: public_service_units
-- source: D09; M5; NĐ 60/2021, NĐ 111/2025
select u.period_no, u.field, 'public_service_units' as dataset, u.entity_id,
       (u.autonomy_group in ('1', '2'))::integer as numerator, 1 as denominator, 0 as unknown
from public_service_units_at u
where u.kind = 'THUC_HIEN'
