-- Organisations whose parts have been given more, taken together, than they have themselves: nobody gives what he has not.
select
    w.entity_id,
    w.valid_from,
    sum(p.{column}) > w.{column} as failed,
    jsonb_build_object('value', w.{column}, 'computed', sum(p.{column}), 'parts', count(*)) as params
from core.annual_quotas w
join core.organizations o on o.parent_code = w.organization_code and o.publish_to is null
    and o.valid_from < w.valid_to and coalesce(o.valid_to, 'infinity') >= w.valid_to
join core.annual_quotas p on p.organization_code = o.organization_code and p.year = w.year and p.publish_to is null
    and p.{column} is not null
where w.publish_to is null and w.{column} is not null
group by w.entity_id, w.valid_from, w.{column}
