-- Rows that name an organisation which no list of organisations has at any time at which the row holds; nothing is judged
-- before there is a list.
with named as (
    select entity_id, valid_from, valid_to, {column} as organization_code
    from {table} t
    where publish_to is null and {since: t} and {column} is not null
)
select
    r.entity_id,
    r.valid_from,
    not coalesce(bool_or(
        o.valid_from < coalesce(r.valid_to, 'infinity') and coalesce(o.valid_to, 'infinity') > r.valid_from
    ), false) as failed,
    jsonb_build_object(
        'organization', r.organization_code,
        'known', case when bool_or(o.valid_from is not null) then ' vào thời điểm này' else '' end
    ) as params
from named r
left join core.organizations o on o.organization_code = r.organization_code and o.publish_to is null
where exists (select from core.organizations where publish_to is null)
group by r.entity_id, r.valid_from, r.organization_code
