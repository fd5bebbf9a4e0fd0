-- code: I34
-- name_vi: Tỷ lệ thủ tục cung cấp dịch vụ công toàn trình
-- name_en: End-to-end procedures
-- formula: 100 · distinct procedures that are end to end / distinct procedures; the first row of a procedure stands for it
-- theme: services
-- grain: PROVINCE
-- periods: month quarter year
-- measure: share %
-- direction: up
-- reads: service_statistics
-- source: D08; M8; NĐ 42/2022
select s.period_no, 'service_statistics' as dataset, s.entity_id,
       s.end_to_end::integer as numerator, 1 as denominator, case when s.place = 1 then 0 end as unknown
from (
    select s.period_no, s.entity_id,
           row_number() over (partition by s.period_no, s.procedure_code order by s.valid_from, s.entity_id) as place,
           bool_or(s.service_level = 'TOAN_TRINH') over (partition by s.period_no, s.procedure_code) as end_to_end
    from service_statistics_in s
) s
