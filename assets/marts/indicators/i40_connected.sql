-- code: I40
-- name_vi: Tỷ lệ hộ có Internet
-- name_en: Connected households and digital teams
-- formula: 100 · Σ connected households / Σ households; TEAMS: 100 · count of villages with a community digital team / count of villages
-- theme: digital
-- grain: COMMUNE PROVINCE
-- periods: quarter
-- measure: share %
-- variant: TEAMS share % | Tỷ lệ thôn có tổ công nghệ số cộng đồng | Villages with a digital team
-- direction: up
-- reads: digital_transformation villages
-- source: D10, D07; M9
select d.period_no, d.commune_code as commune, v.variant, 'digital_transformation' as dataset, d.entity_id,
       v.numerator, v.denominator, 0 as unknown
from digital_transformation_at d
cross join lateral (values ('', d.connected_households, d.households)) v (variant, numerator, denominator)
union all
select v.period_no, v.commune_code, 'TEAMS', 'villages', v.entity_id, v.has_digital_team::integer, 1, 0
from villages_at v
