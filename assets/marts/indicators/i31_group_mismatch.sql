-- code: I31
-- name_vi: Số đơn vị có nhóm tự chủ không khớp mức tự bảo đảm
-- name_en: Units whose autonomy group does not fit
-- formula: count(group of 100·A/B ≠ group given), A own revenue, B recurrent spending; groups 1 and 2 have one threshold and differ by investment, so either fits
-- theme: autonomy
-- grain: ORGANIZATION FIELD PROVINCE
-- periods: year
-- measure: count đơn vị
-- direction: down
-- reads: public_service_units
-- norms: AUTONOMY_MIN_PCT
-- source: D09; M5; NĐ 60/2021, NĐ 111/2025
with degree as (
    select u.*, 100.0 * u.own_revenue / nullif(u.recurrent_spending, 0) as pct
    from public_service_units_at u
    where u.kind = 'THUC_HIEN'
)
select u.period_no, u.organization_code as organization, u.field, 'public_service_units' as dataset, u.entity_id,
       case when u.pct is null or self.value is null or part.value is null then null
            when u.pct >= self.value then (u.autonomy_group not in ('1', '2'))::integer
            when u.pct >= part.value then (u.autonomy_group <> '3')::integer
            else (u.autonomy_group <> '4')::integer end as numerator,
       null::integer as denominator, 0 as unknown
from degree u
left join norm self on self.period_no = u.period_no and self.norm_code = 'AUTONOMY_MIN_PCT' and self.applies_to = '2'
left join norm part on part.period_no = u.period_no and part.norm_code = 'AUTONOMY_MIN_PCT' and part.applies_to = '3'
