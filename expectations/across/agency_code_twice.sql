-- Electronic codes that two organisations have at once.
select
    a.entity_id,
    a.valid_from,
    count(b.entity_id) > 0 as failed,
    jsonb_build_object(
        'value', a.agency_code, 'others', string_agg(distinct b.organization_code, ', ' order by b.organization_code)
    ) as params
from core.organizations a
left join core.organizations b on b.agency_code = a.agency_code and b.entity_id <> a.entity_id and b.publish_to is null
    and b.valid_from < coalesce(a.valid_to, 'infinity') and coalesce(b.valid_to, 'infinity') > a.valid_from
where a.publish_to is null and a.agency_code is not null
group by a.entity_id, a.valid_from, a.agency_code
