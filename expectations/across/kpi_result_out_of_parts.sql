-- Evaluations whose points for results are not the share of all such points that the mean of their parts makes: quantity, quality
-- and progress, with those who lead also the unit's results, organising and uniting.
with judged as (
    select
        entity_id, valid_from, valid_to, result_score,
        (quantity_pct + quality_pct + progress_pct
            + coalesce(unit_result_pct, 0) + coalesce(organising_pct, 0) + coalesce(uniting_pct, 0))
        / (3 + num_nonnulls(unit_result_pct, organising_pct, uniting_pct)) as mean
    from core.kpi_evaluations
    where publish_to is null and {since: kpi_evaluations} and num_nonnulls(unit_result_pct, organising_pct, uniting_pct) in (0, 3)
)
select
    k.entity_id,
    k.valid_from,
    abs(k.result_score - round(p.value * k.mean / 100, 2)) > t.value as failed,
    '{}'::jsonb as params
from judged k
join {norm} p on p.norm_code = 'KPI_RESULT_POINTS' and p.applies_to = '' and p.valid_from <= k.valid_to - 1
    and (p.valid_to is null or p.valid_to > k.valid_to - 1)
join {norm} t on t.norm_code = 'KPI_TOLERANCE' and t.applies_to = '' and t.valid_from <= k.valid_to - 1
    and (t.valid_to is null or t.valid_to > k.valid_to - 1)
where k.result_score is not null and k.mean is not null and p.value is not null and t.value is not null
