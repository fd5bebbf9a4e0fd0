-- code: I27
-- name_vi: Tỷ lệ thôn, tổ dân phố dưới chuẩn quy mô
-- name_en: Hamlets below the size norm
-- formula: 100 · count(households < norm of type and region on D, not special) / count; MUST_MERGE: households < share · norm
-- theme: villages
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: share %
-- variant: MUST_MERGE share % | Tỷ lệ thôn, tổ dân phố phải sáp nhập | Hamlets that must merge
-- direction: down
-- reads: villages administrative_units
-- norms: HAMLET_MIN_HOUSEHOLDS HAMLET_MERGE_SHARE
-- source: D07; M7; TT 04/2012, TT 09/2017, TT 14/2018, TT 05/2022
-- The region is the village's own, else that of its commune in the newest list of units.
with region as (
    select distinct on (p.no, u.unit_code) p.no as period_no, u.unit_code, u.region
    from period p
    join administrative_units_ever u on u.valid_from <= p.day
    where u.region is not null
    order by p.no, u.unit_code, u.valid_from desc
)
select v.period_no, v.commune_code as commune, x.variant, 'villages' as dataset, v.entity_id,
       case when v.is_special then 0 else (v.households < x.least)::integer end as numerator, 1 as denominator, 0 as unknown
from villages_at v
left join region g on g.period_no = v.period_no and g.unit_code = v.commune_code
left join norm n on n.period_no = v.period_no and n.norm_code = 'HAMLET_MIN_HOUSEHOLDS'
    and n.applies_to = v.village_type || '|' || coalesce(v.region, g.region)
left join norm m on m.period_no = v.period_no and m.norm_code = 'HAMLET_MERGE_SHARE'
cross join lateral (values ('', n.value), ('MUST_MERGE', n.value * m.value)) x (variant, least)
