-- code: I07
-- name_vi: Số cấp phó bình quân một phòng, trung tâm cấp xã
-- name_en: Deputies per commune body
-- formula: count of persons who are CAP_PHO in PHONG_XA and TT_PVHCC / count of those bodies
-- theme: deputies
-- grain: PROVINCE
-- periods: month quarter
-- measure: ratio người/tổ chức
-- direction: down
-- reads: assignments organizations
-- source: D02, D04; M20; NĐ 370/2025
select a.period_no, 'assignments' as dataset, a.entity_id,
       1 as numerator, 0 as denominator,
       case when row_number() over (
           partition by a.period_no, a.organization_code, coalesce(m.entity_id, a.citizen_id) order by a.entity_id) = 1
       then 0 end as unknown
from assignments_at a
join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
    and o.organization_type in ('PHONG_XA', 'TT_PVHCC')
left join member m on m.record = a.citizen_id
where a.post = 'CAP_PHO'
union all
select o.period_no, 'organizations', o.entity_id, 0, 1, 0
from organizations_at o
where o.organization_type in ('PHONG_XA', 'TT_PVHCC')
