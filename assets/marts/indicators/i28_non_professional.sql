-- code: I28
-- name_vi: Số người hoạt động không chuyên trách bình quân một thôn
-- name_en: Non-professional workers per hamlet
-- formula: Σ non-professional workers / count of villages; CONCURRENT: 100 · Σ of them with another post / Σ of them
-- theme: villages
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: ratio người/thôn
-- variant: CONCURRENT share % | Tỷ lệ kiêm nhiệm | Share with another post
-- direction: down
-- reads: villages
-- source: D07; M7
select v.period_no, v.commune_code as commune, x.variant, 'villages' as dataset, v.entity_id, x.numerator, x.denominator, 0 as unknown
from villages_at v
cross join lateral (values
    ('', v.non_professional_workers, 1::bigint), ('CONCURRENT', v.concurrent_workers, v.non_professional_workers)
) x (variant, numerator, denominator)
