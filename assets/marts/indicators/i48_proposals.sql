-- code: I48
-- name_vi: Tỷ lệ đề xuất đổi mới được duyệt
-- name_en: Innovation proposals approved
-- formula: 100 · Σ proposals approved / Σ proposals
-- theme: key_posts
-- grain: BLOC PROVINCE
-- periods: year
-- measure: share %
-- direction: up
-- reads: annual_quotas organizations
-- source: D05; M17
select q.period_no, o.bloc, 'annual_quotas' as dataset, q.entity_id,
       q.proposals_approved as numerator, q.proposals as denominator, 0 as unknown
from annual_quotas_at q
left join organizations_at o on o.period_no = q.period_no and o.organization_code = q.organization_code
