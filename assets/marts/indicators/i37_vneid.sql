-- code: I37
-- name_vi: Tỷ lệ người trưởng thành có tài khoản VNeID mức 2
-- name_en: Adults with VNeID level 2
-- formula: 100 · Σ accounts of level 2 / Σ adults
-- theme: digital
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: share %
-- direction: up
-- reads: digital_transformation
-- source: D10; M9
select d.period_no, d.commune_code as commune, 'digital_transformation' as dataset, d.entity_id,
       d.vneid_level2 as numerator, d.adults as denominator, 0 as unknown
from digital_transformation_at d
