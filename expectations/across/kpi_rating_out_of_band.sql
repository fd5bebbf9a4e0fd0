-- Evaluations with another rating than the band in which the total lies, unless a reason for failing is given. Bands are norms:
-- each rating's lowest total; below all of them it is the one that has none.
select
    k.entity_id,
    k.valid_from,
    k.failing_reason is null and k.rating
        <> coalesce((array_agg(b.applies_to order by b.value desc) filter (where b.value <= k.total_score))[1], 'KHT') as failed,
    '{}'::jsonb as params
from core.kpi_evaluations k
join {norm} b on b.norm_code = 'KPI_BAND_MIN' and b.valid_from <= k.valid_to - 1
    and (b.valid_to is null or b.valid_to > k.valid_to - 1)
where k.publish_to is null and {since: k} and k.total_score is not null and k.rating is not null
group by k.entity_id, k.valid_from, k.failing_reason, k.rating, k.total_score
having bool_and(b.value is not null)
