-- Groups of similar tasks in a unit with more excellent ratings than the share of its good ones that the norm allows. The finding
-- is about one row of the group, whatever its own rating.
with grouped as (
    select
        organization_code, task_group, valid_from, valid_to, min(entity_id) as entity_id,
        count(*) filter (where rating = 'XS') as excellent, count(*) filter (where rating = 'T') as good
    from core.kpi_evaluations
    where publish_to is null and rating is not null and {since: kpi_evaluations}
    group by organization_code, task_group, valid_from, valid_to
)
select
    k.entity_id,
    k.valid_from,
    k.excellent > floor(n.value * k.good) as failed,
    jsonb_build_object(
        'organization', k.organization_code, 'group', coalesce(k.task_group, 'chung'),
        'excellent', k.excellent, 'good', k.good, 'allowed', floor(n.value * k.good)
    ) as params
from grouped k
join {norm} n on n.norm_code = 'KPI_XS_SHARE' and n.applies_to = '' and n.valid_from <= k.valid_to - 1
    and (n.valid_to is null or n.valid_to > k.valid_to - 1)
where n.value is not null
