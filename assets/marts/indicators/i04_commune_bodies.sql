-- code: I04
-- name_vi: Số phòng, trung tâm bình quân một xã
-- name_en: Bodies per commune
-- formula: count of PHONG_XA and TT_PVHCC active on D / count of communes on D
-- theme: organisation
-- grain: PROVINCE
-- periods: month quarter
-- measure: ratio tổ chức/xã
-- direction: down
-- reads: organizations
-- source: D02, D01; M1; NĐ 370/2025
select o.period_no, 'organizations' as dataset, o.entity_id, 1 as numerator, 0 as denominator, 0 as unknown
from organizations_at o
where o.organization_type in ('PHONG_XA', 'TT_PVHCC')
union all
select c.period_no, 'units', null, 0, 1, 0
from commune c
