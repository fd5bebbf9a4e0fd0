-- code: I41
-- name_vi: Tỷ lệ cán bộ, công chức có máy tính
-- name_en: Infrastructure
-- formula: 100 · Σ computers / Σ officials who need one; LINE: 100 · communes whose leased line has the speed of the norm and who have somebody for IT / communes that reported
-- theme: digital
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: share %
-- variant: LINE share % | Tỷ lệ xã có đường truyền và cán bộ CNTT | Communes with line and IT official
-- direction: up
-- reads: digital_transformation
-- norms: LEASED_LINE_MIN_MBPS
-- source: D10; M12
select d.period_no, d.commune_code as commune, v.variant, 'digital_transformation' as dataset, d.entity_id,
       v.numerator, v.denominator, 0 as unknown
from digital_transformation_at d
left join norm n on n.period_no = d.period_no and n.norm_code = 'LEASED_LINE_MIN_MBPS'
cross join lateral (values ('', d.computers, d.officials_needing_computer), ('LINE', (d.leased_line_mbps >= n.value and d.it_officials >= 1)::integer, 1::bigint)) v (variant, numerator, denominator)
