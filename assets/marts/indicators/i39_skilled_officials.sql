-- code: I39
-- name_vi: Tỷ lệ cán bộ, công chức, viên chức đạt kỹ năng số
-- name_en: Digitally skilled officials
-- formula: 100 · count(digital skills) / count(at work); REPORTED: what the communes count themselves (D10), to compare
-- theme: digital
-- grain: ORGANIZATION COMMUNE BLOC PROVINCE
-- periods: quarter
-- measure: share %
-- variant: REPORTED share % | Theo báo cáo của xã | As reported by communes
-- direction: up
-- reads: staff organizations digital_transformation
-- source: D03, D10; M10
select s.period_no, s.organization_code as organization, coalesce(o.commune_code, s.commune_code) as commune, o.bloc, '' as variant,
       'staff' as dataset, s.entity_id,
       case when s.digital_skills then 1 else 0 end as numerator, 1 as denominator,
       case when s.digital_skills is null then 1 else 0 end as unknown
from staff_at s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
where (s.started_on is null or s.started_on <= s.day) and (s.left_on is null or s.left_on >= s.day)
union all
select d.period_no, null, d.commune_code, null, 'REPORTED', 'digital_transformation', d.entity_id, d.skilled_officials, d.officials, 0
from digital_transformation_in d
