-- code: I23
-- name_vi: Tỷ lệ nữ giữ chức danh lãnh đạo chủ chốt
-- name_en: Women in key posts
-- formula: 100 · count(holders of leading posts, women) / count(holders)
-- theme: key_posts
-- grain: COMMUNE BLOC PROVINCE
-- periods: month quarter
-- measure: share %
-- direction: up
-- reads: assignments staff organizations
-- source: D03, D04; M16
-- Somebody with two posts in one body counts once there; whom the lists of staff do not know is unknown.
with holder as (
    select a.period_no, a.day, coalesce(o.commune_code, a.commune_code) as commune, o.bloc,
           coalesce(o.level, case when a.commune_code is not null then 'XA' else 'TINH' end) as level, a.entity_id,
           coalesce(m.entity_id, a.citizen_id) as person,
           row_number() over (
               partition by a.period_no, a.organization_code, coalesce(m.entity_id, a.citizen_id) order by a.entity_id) as place
    from assignments_at a
    left join member m on m.record = a.citizen_id
    left join organizations_at o on o.period_no = a.period_no and o.organization_code = a.organization_code
    where a.post in ('BI_THU', 'PHO_BI_THU', 'CT_HDND', 'PCT_HDND', 'CT_UBND', 'PCT_UBND', 'CAP_TRUONG', 'CAP_PHO')
)
select h.period_no, h.commune, h.bloc, 'assignments' as dataset, h.entity_id,
       case when h.place = 1 then (s.gender = 'NU')::integer end as numerator,
       1 as denominator, case when h.place = 1 then 0 end as unknown
from holder h
left join staff_at s on s.period_no = h.period_no and s.entity_id = h.person
