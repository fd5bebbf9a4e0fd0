-- code: I20
-- name_vi: Tỷ lệ phiếu KPI có điểm và xếp loại khớp nhau
-- name_en: KPI rows whose scores and rating agree
-- formula: 100 · rows with |total − (common + result)| ≤ tolerance whose rating is that of the total (or a reason for failing is given) / rows
-- theme: kpi
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month
-- measure: share %
-- direction: up
-- reads: kpi_evaluations organizations
-- norms: KPI_TOLERANCE KPI_BAND_MIN
-- source: D06; M14; NĐ 335/2025
select k.period_no, k.organization_code as organization, coalesce(o.commune_code, k.commune_code) as commune,
       'kpi_evaluations' as dataset, k.entity_id,
       (abs(k.total_score - (k.common_score + k.result_score)) <= t.value
        and (k.failing_reason is not null or k.rating = b.rating))::integer as numerator,
       1 as denominator, 0 as unknown
from kpi_evaluations_in k
left join organizations_at o on o.period_no = k.period_no and o.organization_code = k.organization_code
left join norm t on t.period_no = k.period_no and t.norm_code = 'KPI_TOLERANCE'
-- the highest band that the total reaches; the lowest rating has none, and without bands nothing can be said
left join (
    select n.period_no, n.applies_to as rating, n.value as low,
           lead(n.value, 1, 1000000) over (partition by n.period_no order by n.value) as high
    from norm n
    where n.norm_code = 'KPI_BAND_MIN'
    union all
    select n.period_no, 'KHT', 0, min(n.value)
    from norm n
    where n.norm_code = 'KPI_BAND_MIN' and not exists (
        select from norm l where l.period_no = n.period_no and l.norm_code = 'KPI_BAND_MIN' and l.applies_to = 'KHT')
    group by 1
) b on b.period_no = k.period_no and k.total_score >= b.low and k.total_score < b.high
