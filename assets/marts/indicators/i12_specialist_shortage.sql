-- code: I12
-- name_vi: Số công chức chuyên môn cấp xã còn thiếu
-- name_en: Shortage of specialists in communes
-- formula: Σ max(0, needed − have), by field; have as in I11
-- theme: staff
-- grain: COMMUNE PROVINCE
-- periods: month quarter
-- measure: count người
-- variant: * count người | Số còn thiếu theo lĩnh vực | Shortage by field
-- direction: down
-- reads: assignments staff specialist_needs organizations
-- source: D03, D04, D05; M21
with need as (
    select n.period_no, coalesce(n.commune_code, o.commune_code) as commune, n.specialism, sum(n.needed) as needed,
           min(n.entity_id) as entity_id
    from specialist_needs_at n
    left join organizations_at o on o.period_no = n.period_no and o.organization_code = n.organization_code
    group by 1, 2, 3
),
holder as (
    select a.period_no, coalesce(o.commune_code, a.commune_code) as commune, a.specialism, a.entity_id,
           coalesce(m.entity_id, a.citizen_id) as person
    from assignments_at a
    left join member m on m.record = a.citizen_id
    join staff_at s on s.period_no = a.period_no and s.entity_id = coalesce(m.entity_id, a.citizen_id)
        and s.specialism = a.specialism
    left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
    where a.post = 'CHUYEN_MON'
),
had as (
    select period_no, commune, specialism, count(distinct person) as persons
    from holder
    group by 1, 2, 3
)
select n.period_no, n.commune, v.variant, 'specialist_needs' as dataset, n.entity_id,
       greatest(0, n.needed - coalesce(h.persons, 0)) as numerator, null::integer as denominator, 0 as unknown
from need n
left join had h on h.period_no = n.period_no and h.commune = n.commune and h.specialism = n.specialism
cross join lateral (values (''), (n.specialism)) v (variant)
where n.commune is not null
union all
-- what it comes from
select h.period_no, h.commune, v.variant, 'assignments', h.entity_id, null, null, null
from holder h
join need n on n.period_no = h.period_no and n.commune = h.commune and n.specialism = h.specialism
cross join lateral (values (''), (h.specialism)) v (variant)
