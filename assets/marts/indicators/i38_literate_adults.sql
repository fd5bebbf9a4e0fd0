-- code: I38
-- name_vi: Tỷ lệ người trưởng thành đạt phổ cập kỹ năng số
-- name_en: Digitally literate adults
-- formula: 100 · Σ adults with confirmed digital skills / Σ adults
-- theme: digital
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: share %
-- direction: up
-- reads: digital_transformation
-- source: D10; M10; QĐ 757/QĐ-BKHCN
select d.period_no, d.commune_code as commune, 'digital_transformation' as dataset, d.entity_id,
       d.digitally_skilled_adults as numerator, d.adults as denominator, 0 as unknown
from digital_transformation_at d
