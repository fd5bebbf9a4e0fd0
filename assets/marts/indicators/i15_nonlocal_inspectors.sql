-- code: I15
-- name_vi: Tỷ lệ Chủ nhiệm UBKT cấp xã không phải người địa phương
-- name_en: Non-local chairs of commune inspection committees
-- formula: 100 · count(active CN_UBKT of communes, not local) / count(active CN_UBKT of communes); unclear ones (CHUA_RO) stay in the denominator and are unknown. VACANT: communes without one
-- theme: key_posts
-- grain: PROVINCE
-- periods: month quarter
-- measure: share %
-- variant: VACANT count xã | Số xã chưa có người giữ chức danh | Communes without a holder
-- direction: up
-- reads: assignments organizations
-- source: D04; M23
with holder as (
    select a.period_no, coalesce(o.commune_code, a.commune_code) as commune, a.entity_id, a.local_origin
    from assignments_at a
    left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
    where a.post = 'CN_UBKT' and coalesce(o.level, case when a.commune_code is not null then 'XA' end) = 'XA'
)
select h.period_no, '' as variant, 'assignments' as dataset, h.entity_id,
       case when h.local_origin = 'KHONG' then 1 else 0 end as numerator, 1 as denominator,
       case when h.local_origin is null or h.local_origin = 'CHUA_RO' then 1 else 0 end as unknown
from holder h
union all
select c.period_no, 'VACANT', 'units', null,
       case when exists (select from holder h where h.period_no = c.period_no and h.commune = c.code) then 0 else 1 end, null, 0
from commune c
