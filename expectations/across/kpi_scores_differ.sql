-- Evaluations whose total is not common criteria and results taken together. The tolerance is a norm.
select
    k.entity_id,
    k.valid_from,
    abs(k.total_score - (k.common_score + k.result_score)) > t.value as failed,
    '{}'::jsonb as params
from core.kpi_evaluations k
join {norm} t on t.norm_code = 'KPI_TOLERANCE' and t.applies_to = '' and t.valid_from <= k.valid_to - 1
    and (t.valid_to is null or t.valid_to > k.valid_to - 1)
where k.publish_to is null and {since: k} and t.value is not null
  and k.total_score is not null and k.common_score is not null and k.result_score is not null
