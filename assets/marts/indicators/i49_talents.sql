-- code: I49
-- name_vi: Số người tài được thu hút
-- name_en: Talent attracted
-- formula: Σ of those attracted in the year
-- theme: key_posts
-- grain: BLOC PROVINCE
-- periods: year
-- measure: count người
-- direction: up
-- reads: annual_quotas organizations
-- source: D05; M19
select q.period_no, o.bloc, 'annual_quotas' as dataset, q.entity_id,
       q.talents_attracted as numerator, null::integer as denominator, 0 as unknown
from annual_quotas_at q
left join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code
