-- Organisations that have been given more of something than the organisation above them: no body may exceed its parent
-- (NĐ 150/2025, NĐ 370/2025).
select
    p.entity_id,
    p.valid_from,
    bool_or(p.{column} > w.{column}) as failed,
    jsonb_build_object('value', p.{column}, 'whole', max(w.{column}), 'parent', min(w.organization_code)) as params
from core.annual_quotas p
join core.organizations o on o.organization_code = p.organization_code and o.publish_to is null
    and o.valid_from < p.valid_to and coalesce(o.valid_to, 'infinity') >= p.valid_to
join core.annual_quotas w on w.organization_code = o.parent_code and w.year = p.year and w.publish_to is null
    and w.{column} is not null
where p.publish_to is null and p.{column} is not null
group by p.entity_id, p.valid_from, p.{column}
