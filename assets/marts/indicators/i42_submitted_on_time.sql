-- code: I42
-- name_vi: Tỷ lệ nộp đúng hạn
-- name_en: Submitted on time
-- theme: data
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: share %
-- formula: 100 · count(due, first received by the day set and finally accepted, wholly or in part) / count(due)
-- direction: up
-- reads: submission_log
-- source: D00; M3, M11
select l.period_no, case when s.commune_code is null then l.sender end as organization, s.commune_code as commune, 'submission_log' as dataset, null::bigint as entity_id, l.submission_id,
       case when (l.received_at at time zone 'Asia/Ho_Chi_Minh')::date <= l.due_on and l.state in ('DAT', 'DAT_MOT_PHAN')
            then 1 else 0 end as numerator,
       1 as denominator, 0 as unknown
from submission_log_in l
join core.sender s on s.code = l.sender
where l.due
