-- code: I11
-- name_vi: Tỷ lệ xã đủ công chức chuyên môn
-- name_en: Communes with every specialist they need
-- formula: 100 · count of communes where in every field have ≥ needed / count of communes that said what they need; have = persons with a post CHUYEN_MON of the field who have studied it. Communes that said nothing are unknown
-- theme: staff
-- grain: PROVINCE
-- periods: month quarter
-- measure: share %
-- direction: up
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
select n.period_no, 'specialist_needs' as dataset, min(n.entity_id) as entity_id,
       bool_and(coalesce(h.persons, 0) >= n.needed)::integer as numerator, 1 as denominator, 0 as unknown
from need n
left join had h on h.period_no = n.period_no and h.commune = n.commune and h.specialism = n.specialism
where n.commune is not null
group by n.period_no, n.commune
union all
select c.period_no, 'units', null, 0, 0, 1
from commune c
where not exists (select from need n where n.period_no = c.period_no and n.commune = c.code)
union all
-- what it comes from
select n.period_no, 'specialist_needs', n.entity_id, null, null, null
from specialist_needs_at n
union all
select h.period_no, 'assignments', h.entity_id, null, null, null
from holder h
join need n on n.period_no = h.period_no and n.commune = h.commune and n.specialism = h.specialism
