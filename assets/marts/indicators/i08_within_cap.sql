-- code: I08
-- name_vi: Tỷ lệ tổ chức có số cấp phó trong số được giao
-- name_en: Bodies within their own cap of deputies
-- formula: 100 · count(p ≤ deputies allowed) / count(bodies with a quota of the year)
-- theme: deputies
-- grain: ORGANIZATION COMMUNE BLOC PROVINCE
-- periods: month quarter
-- measure: share %
-- direction: up
-- reads: assignments annual_quotas organizations
-- source: D04, D05; M20
with deputy as (
    select a.period_no, a.organization_code, count(distinct coalesce(m.entity_id, a.citizen_id)) as persons
    from assignments_at a
    left join member m on m.record = a.citizen_id
    where a.post = 'CAP_PHO'
    group by 1, 2
)
select q.period_no, q.organization_code as organization, o.commune_code as commune, o.bloc, 'annual_quotas' as dataset, q.entity_id,
       case when coalesce(d.persons, 0) <= q.deputies_allowed then 1 when q.deputies_allowed is not null then 0 end as numerator,
       1 as denominator, 0 as unknown
from annual_quotas_at q
left join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code
left join deputy d on d.period_no = q.period_no and d.organization_code = q.organization_code
union all
-- what it comes from: the posts, which count nothing themselves
select a.period_no, q.organization_code, o.commune_code, o.bloc, 'assignments', a.entity_id, null, null, null
from assignments_at a
join annual_quotas_at q on q.period_no = a.period_no and q.organization_code = a.organization_code
left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
where a.post = 'CAP_PHO'
