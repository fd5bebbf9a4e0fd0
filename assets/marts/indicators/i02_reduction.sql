-- code: I02
-- name_vi: Tỷ lệ giảm đầu mối so với ngày sắp xếp
-- name_en: Reduction of organisations
-- formula: 100 · (I01[base] − I01[D]) / I01[base]; base is the day of the last change of the map (1/7/2025)
-- theme: organisation
-- grain: BLOC PROVINCE
-- periods: month quarter
-- measure: share %
-- direction: up
-- reads: organizations
-- source: D02; M1, M2, M4, M6
-- An organisation of the base adds one to both, one of the day takes one away again.
select p.no as period_no, o.bloc, 'organizations' as dataset, o.entity_id, 1 as numerator, 1 as denominator, 0 as unknown
from period p
join reform r on r.day <= p.day
join organizations_ever o on o.valid_from <= r.day and (o.valid_to is null or o.valid_to > r.day)
union all
select o.period_no, o.bloc, 'organizations', o.entity_id, -1, 0, 0
from organizations_at o
join reform r on r.day <= o.day
