-- code: I35
-- name_vi: Tỷ lệ kết quả giải quyết điện tử
-- name_en: Digital results and digitised dossiers
-- formula: 100 · Σ digital results / Σ resolved; DIGITISED: 100 · Σ digitised / Σ received
-- theme: services
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: share %
-- variant: DIGITISED share % | Tỷ lệ hồ sơ được số hóa | Dossiers digitised
-- direction: up
-- reads: service_statistics organizations
-- source: D08; M8
select s.period_no, s.organization_code as organization, o.commune_code as commune, v.variant, 'service_statistics' as dataset, s.entity_id, v.numerator, v.denominator, 0 as unknown
from service_statistics_in s
left join organizations_at o on o.period_no = s.period_no and o.organization_code = s.organization_code
cross join lateral (values
    ('', s.results_digital, s.resolved_early + s.resolved_on_time + s.resolved_late),
    ('DIGITISED', s.digitised, s.received_online + s.received_in_person + s.received_by_post)
) v (variant, numerator, denominator)
