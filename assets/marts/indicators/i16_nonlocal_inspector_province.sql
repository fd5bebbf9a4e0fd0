-- code: I16
-- name_vi: Chủ nhiệm UBKT Tỉnh ủy không phải người địa phương
-- name_en: Non-local chair of the provincial inspection committee
-- formula: 100 · count(active CN_UBKT of the province, not local) / count(active CN_UBKT of the province): 0 or 100
-- theme: key_posts
-- grain: PROVINCE
-- periods: month quarter
-- measure: share %
-- direction: up
-- reads: assignments organizations
-- source: D04; M23
select a.period_no, 'assignments' as dataset, a.entity_id,
       case when a.local_origin = 'KHONG' then 1 else 0 end as numerator, 1 as denominator,
       case when a.local_origin is null or a.local_origin = 'CHUA_RO' then 1 else 0 end as unknown
from assignments_at a
join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code and o.level = 'TINH'
where a.post = 'CN_UBKT'
