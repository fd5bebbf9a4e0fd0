-- code: I09
-- name_vi: Số cấp phó phải giảm mỗi quý đến hạn
-- name_en: Deputies to be reduced each quarter until the day set
-- formula: ⌈Σ max(0, p − allowed) / quarters left until the day of the target⌉, not a sum over units. OVERDUE: bodies over their cap whose decision of rearrangement is longer ago than the norm allows
-- theme: deputies
-- grain: ORGANIZATION COMMUNE BLOC PROVINCE
-- periods: quarter
-- measure: pace người/quý
-- variant: EXCESS count người | Số cấp phó vượt số được giao | Deputies over what is allowed
-- variant: OVERDUE count tổ chức | Tổ chức quá thời hạn đưa cấp phó về quy định | Bodies past the time allowed
-- direction: down
-- reads: assignments annual_quotas organizations
-- norms: DEPUTIES_EXCESS_YEARS
-- source: D02, D04, D05; M20; NĐ 370/2025
with deputy as (
    select a.period_no, a.organization_code, count(distinct coalesce(m.entity_id, a.citizen_id)) as persons
    from assignments_at a
    left join member m on m.record = a.citizen_id
    where a.post = 'CAP_PHO'
    group by 1, 2
),
body as (
    select q.period_no, q.day, q.organization_code as organization, o.commune_code as commune, o.bloc, q.entity_id,
           greatest(0, coalesce(d.persons, 0) - q.deputies_allowed) as excess, o.restructured_on
    from annual_quotas_at q
    left join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code
    left join deputy d on d.period_no = q.period_no and d.organization_code = q.organization_code
)
select b.period_no, b.organization, b.commune, b.bloc, v.variant, 'annual_quotas' as dataset, b.entity_id,
       v.numerator, v.denominator, 0 as unknown
from body b
left join norm n on n.period_no = b.period_no and n.norm_code = 'DEPUTIES_EXCESS_YEARS'
left join (
    -- the day is that of the target of the path itself, else that of bodies within their caps
    select distinct on (period_no) period_no, due_on
    from target
    where indicator_code in ('I09', 'I08') and bloc_or_unit = '' and due_on is not null
    order by period_no, indicator_code desc
) t on t.period_no = b.period_no
cross join lateral (values
    ('', b.excess::numeric, case when t.due_on is not null then greatest(1,
        extract(year from t.due_on) * 4 + extract(quarter from t.due_on) - extract(year from b.day) * 4 - extract(quarter from b.day)) end),
    ('EXCESS', b.excess, null),
    ('OVERDUE', case when b.excess = 0 then 0
                     when n.value is not null and b.restructured_on is not null
                     then (b.restructured_on + make_interval(years => n.value::integer) < b.day)::integer end, null)
) v (variant, numerator, denominator)
union all
-- what it comes from: the posts, which count nothing themselves
select a.period_no, a.organization_code, o.commune_code, o.bloc, v.variant, 'assignments', a.entity_id, null, null, null
from assignments_at a
join annual_quotas_at q on q.period_no = a.period_no and q.organization_code = a.organization_code
left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
cross join (values ('EXCESS'), ('OVERDUE')) v (variant)
where a.post = 'CAP_PHO'
