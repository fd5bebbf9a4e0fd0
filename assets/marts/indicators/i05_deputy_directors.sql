-- code: I05
-- name_vi: Số phó giám đốc sở vượt quy định
-- name_en: Excess deputy directors of departments
-- formula: max(0, P − C); P = persons who are CAP_PHO in an SO; C = norm · number of SO + one more norm for each formed by the merger of two provinces. No sum over departments: the norm is an average
-- theme: deputies
-- grain: PROVINCE
-- periods: month quarter
-- measure: excess người
-- direction: down
-- reads: assignments organizations
-- norms: DEPUTIES_PER_SO DEPUTIES_EXTRA_MERGED_SO
-- source: D02, D04; M20; NĐ 150/2025, NĐ 370/2025
-- A person who is deputy in two departments is one: the first post counts, the others show only where it comes from.
select a.period_no, 'assignments' as dataset, a.entity_id,
       1 as numerator, 0::numeric as denominator,
       case when row_number() over (
           partition by a.period_no, coalesce(m.entity_id, a.citizen_id) order by a.is_main desc, a.entity_id) = 1
       then 0 end as unknown
from assignments_at a
join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code and o.organization_type = 'SO'
left join member m on m.record = a.citizen_id
where a.post = 'CAP_PHO'
union all
select o.period_no, 'organizations', o.entity_id, 0,
       n.value + case when o.from_two_provinces then e.value else 0 end, 0
from organizations_at o
left join norm n on n.period_no = o.period_no and n.norm_code = 'DEPUTIES_PER_SO'
left join norm e on e.period_no = o.period_no and e.norm_code = 'DEPUTIES_EXTRA_MERGED_SO'
where o.organization_type = 'SO'
