-- code: I43
-- name_vi: Mức đầy đủ của dữ liệu (đúng – đủ)
-- name_en: Completeness
-- theme: data
-- grain: ORGANIZATION COMMUNE PROVINCE
-- periods: month quarter year
-- measure: share %
-- formula: 100 · (1 − Σ empty required cells / Σ required cells), of what stands
-- direction: up
-- reads: submission_log
-- source: D00; M11
select l.period_no, case when s.commune_code is null then l.sender end as organization, s.commune_code as commune, 'submission_log' as dataset, null::bigint as entity_id, l.submission_id,
       l.required_cells - l.required_cells_empty as numerator, l.required_cells as denominator, 0 as unknown
from submission_log_in l
join core.sender s on s.code = l.sender
where l.state in ('DAT', 'DAT_MOT_PHAN')
