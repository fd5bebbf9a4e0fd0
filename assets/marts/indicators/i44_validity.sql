-- code: I44
-- name_vi: Mức hợp lệ của dữ liệu (đúng, sạch)
-- name_en: Validity
-- theme: data
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: share %
-- formula: 100 · Σ rows accepted / Σ rows accepted or faulty, of what stands; titles, totals and blanks that are set aside are no rows of data
-- direction: up
-- reads: submission_log
-- source: D00; M11
select l.period_no, case when s.commune_code is null then l.sender end as organization, s.commune_code as commune, 'submission_log' as dataset, null::bigint as entity_id, l.submission_id,
       l.rows_accepted as numerator, l.rows_accepted + l.rows_faulty as denominator, 0 as unknown
from submission_log_in l
join core.sender s on s.code = l.sender
where l.state in ('DAT', 'DAT_MOT_PHAN')
