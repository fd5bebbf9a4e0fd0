-- code: I03
-- name_vi: Số sở và tương đương
-- name_en: Departments
-- formula: count of organisations of type SO active on D, Thanh tra tỉnh and Văn phòng UBND among them
-- theme: organisation
-- grain: PROVINCE
-- periods: month quarter
-- measure: count sở
-- direction: down
-- reads: organizations
-- source: D02; M1; NĐ 150/2025
select o.period_no, 'organizations' as dataset, o.entity_id, 1 as numerator, null::integer as denominator, 0 as unknown
from organizations_at o
where o.organization_type = 'SO'
