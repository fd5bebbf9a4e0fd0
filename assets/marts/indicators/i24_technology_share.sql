-- code: I24
-- name_vi: Tỷ lệ nhân lực khoa học, công nghệ, chuyển đổi số
-- name_en: Share of staff in science, technology and digital fields
-- formula: 100 · count(field CNTT_CDS or KHCN, education of CD or higher) / count(at work); who has no field or education stays in the denominator and is unknown
-- theme: staff
-- grain: ORGANIZATION COMMUNE BLOC PROVINCE
-- periods: quarter
-- measure: share %
-- direction: up
-- reads: staff organizations
-- source: D03; M15
select s.period_no, s.organization_code as organization, coalesce(o.commune_code, s.commune_code) as commune, o.bloc,
       'staff' as dataset, s.entity_id,
       case when s.specialism in ('CNTT_CDS', 'KHCN') and s.education in ('TS', 'ThS', 'DH', 'CD') then 1 else 0 end as numerator, 1 as denominator,
       case when s.specialism is null or (s.specialism in ('CNTT_CDS', 'KHCN') and s.education is null) then 1 else 0 end as unknown
from staff_at s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
where (s.started_on is null or s.started_on <= s.day) and (s.left_on is null or s.left_on >= s.day)
