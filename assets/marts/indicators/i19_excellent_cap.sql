-- code: I19
-- name_vi: Tỷ lệ nhóm giữ đúng trần xếp loại xuất sắc
-- name_en: Groups that keep the cap of excellent ratings
-- formula: 100 · groups (unit and similar tasks) with n_XS ≤ ⌊r · n_T⌋ / groups; the first of a group stands for it
-- theme: kpi
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month
-- measure: share %
-- direction: up
-- reads: kpi_evaluations organizations
-- norms: KPI_XS_SHARE
-- source: D06; M14; NĐ 335/2025
with grouped as (
    select k.period_no, k.organization_code, coalesce(o.commune_code, k.commune_code) as commune, k.entity_id,
           row_number() over w as place,
           count(*) filter (where k.rating = 'XS') over g as excellent,
           count(*) filter (where k.rating = 'T') over g as good
    from kpi_evaluations_in k
    left join organizations_at o on o.period_no = k.period_no and o.organization_code = k.organization_code
    where k.rating is not null
    window g as (partition by k.period_no, k.organization_code, k.task_group),
           w as (partition by k.period_no, k.organization_code, k.task_group order by k.entity_id)
)
select k.period_no, k.organization_code as organization, k.commune, 'kpi_evaluations' as dataset, k.entity_id,
       case when k.place = 1 and n.value is not null then (k.excellent <= floor(n.value * k.good))::integer end as numerator,
       1 as denominator, case when k.place = 1 then 0 end as unknown
from grouped k
left join norm n on n.period_no = k.period_no and n.norm_code = 'KPI_XS_SHARE' and n.applies_to = ''
