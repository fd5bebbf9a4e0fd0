-- code: I26
-- name_vi: Số thôn, tổ dân phố
-- name_en: Hamlets and their reduction
-- formula: n(D) = count of villages on D; CUT: 100 · (n(base) − n(D)) / n(base), base = the day of the change of the map, or the first day on which the commune told of its villages
-- theme: villages
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: count thôn
-- variant: CUT share % | Tỷ lệ giảm thôn, tổ dân phố | Reduction of hamlets
-- direction: down
-- reads: villages
-- source: D07; M7
with base as (
    select v.commune_code, greatest(r.day, min(v.valid_from)) as day
    from villages_ever v
    cross join reform r
    group by v.commune_code, r.day
)
select v.period_no, v.commune_code as commune, x.variant, 'villages' as dataset, v.entity_id, x.numerator, x.denominator, 0 as unknown
from villages_at v
join base b on b.commune_code = v.commune_code
cross join lateral (values ('', 1, null), ('CUT', -1, 0)) x (variant, numerator, denominator)
where x.variant = '' or b.day <= v.day
union all
select p.no, v.commune_code, 'CUT', 'villages', v.entity_id, 1, 1, 0
from period p
join base b on b.day <= p.day
join villages_ever v on v.commune_code = b.commune_code and v.valid_from <= b.day and (v.valid_to is null or v.valid_to > b.day)
