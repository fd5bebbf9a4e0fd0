-- code: I01
-- name_vi: Số đầu mối tổ chức
-- name_en: Organisations
-- formula: count of organisations active on D, by bloc, level (TINH, XA), type (XA/PHONG_XA) and, of public service units, field (FIELD)
-- theme: organisation
-- grain: COMMUNE BLOC FIELD PROVINCE
-- periods: month quarter
-- measure: count tổ chức
-- variant: FIELD count đơn vị | Số đơn vị sự nghiệp theo lĩnh vực | Public service units by field
-- variant: * count tổ chức | Số đầu mối theo cấp và loại | Organisations by level and type
-- direction: down
-- reads: organizations public_service_units
-- source: D02, D09; M1, M2, M4, M6
-- The field of a public service unit is what its newest figures say.
with unit as (
    select distinct on (p.no, u.organization_code) p.no as period_no, u.organization_code, u.field
    from period p
    join public_service_units_ever u on u.valid_from <= p.day
    order by p.no, u.organization_code, u.valid_from desc, u.kind desc
)
select o.period_no, o.bloc, o.commune_code as commune, null as field, v.variant, 'organizations' as dataset, o.entity_id,
       1 as numerator, null::integer as denominator, 0 as unknown
from organizations_at o
cross join lateral (values (''), (o.level), (o.level || '/' || o.organization_type)) v (variant)
union all
select o.period_no, o.bloc, o.commune_code, u.field, 'FIELD', 'organizations', o.entity_id, 1, null, 0
from organizations_at o
join unit u on u.period_no = o.period_no and u.organization_code = o.organization_code
