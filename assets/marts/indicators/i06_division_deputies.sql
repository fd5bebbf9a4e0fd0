-- code: I06
-- name_vi: Số phó trưởng phòng của sở vượt quy định
-- name_en: Excess deputies in divisions of departments
-- formula: Σ max(0, p − cap(q)) over PHONG_SO; p = persons who are CAP_PHO in it, q = its civil-servant posts, cap by the band of q
-- theme: deputies
-- grain: ORGANIZATION PROVINCE
-- periods: month quarter
-- measure: count người
-- direction: down
-- reads: assignments organizations annual_quotas
-- norms: DEPUTIES_PHONG_SO
-- source: D02, D04, D05; M20; NĐ 150/2025
with deputy as (
    select a.period_no, a.organization_code, count(distinct coalesce(m.entity_id, a.citizen_id)) as persons
    from assignments_at a
    left join member m on m.record = a.citizen_id
    where a.post = 'CAP_PHO'
    group by 1, 2
)
select o.period_no, o.parent_code as organization, 'organizations' as dataset, o.entity_id,
       case when n.value is not null then greatest(0, coalesce(d.persons, 0) - n.value) end as numerator,
       null::integer as denominator, 0 as unknown
from organizations_at o
left join annual_quotas_at q on q.period_no = o.period_no and q.organization_code = o.organization_code
left join norm n on n.period_no = o.period_no and n.norm_code = 'DEPUTIES_PHONG_SO'
    and q.civil_servant_posts between coalesce(n.low, 0) and coalesce(n.high, 1000000)
left join deputy d on d.period_no = o.period_no and d.organization_code = o.organization_code
where o.organization_type = 'PHONG_SO'
union all
-- what it comes from: the posts and the quotas, which count nothing themselves
select a.period_no, o.parent_code, 'assignments', a.entity_id, null, null, null
from assignments_at a
join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code and o.organization_type = 'PHONG_SO'
where a.post = 'CAP_PHO'
union all
select q.period_no, o.parent_code, 'annual_quotas', q.entity_id, null, null, null
from annual_quotas_at q
join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code and o.organization_type = 'PHONG_SO'
