-- code: I18
-- name_vi: Số người được xếp loại
-- name_en: Persons rated, and the structure of ratings
-- formula: count of rated persons; XS, T, HT, KHT: 100 · count(rating) / count(rated)
-- theme: kpi
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month
-- measure: count người
-- variant: XS share % | Hoàn thành xuất sắc nhiệm vụ | Rated excellent
-- variant: T share % | Hoàn thành tốt nhiệm vụ | Rated good
-- variant: HT share % | Hoàn thành nhiệm vụ | Rated sufficient
-- variant: KHT share % | Không hoàn thành nhiệm vụ | Rated insufficient
-- direction: none
-- reads: kpi_evaluations organizations
-- source: D06; M14; NĐ 335/2025
select k.period_no, k.organization_code as organization, coalesce(o.commune_code, k.commune_code) as commune, v.variant,
       'kpi_evaluations' as dataset, k.entity_id,
       case when v.variant in ('', k.rating) then 1 else 0 end as numerator, 1 as denominator, 0 as unknown
from kpi_evaluations_in k
left join organizations_at o on o.period_no = k.period_no and o.organization_code = k.organization_code
cross join (values (''), ('XS'), ('T'), ('HT'), ('KHT')) v (variant)
where k.rating is not null
