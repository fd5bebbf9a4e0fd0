-- Offices of very many rows that no list of organisations has: one finding each, about the first of its rows. Nothing is judged before
-- there is a list.
with office as (
    select {column} as organization_code, min(entity_id) as entity_id, count(*) as rows
    from {table}
    where publish_to is null and {column} is not null
    group by {column}
)
select distinct on (o.organization_code)
    r.entity_id,
    r.valid_from,
    k.organization_code is null as failed,
    jsonb_build_object('organization', o.organization_code, 'rows', o.rows) as params
from office o
join {table} r on r.entity_id = o.entity_id and r.publish_to is null
left join core.organizations k on k.organization_code = o.organization_code and k.publish_to is null
where exists (select from core.organizations where publish_to is null)
order by o.organization_code, r.valid_from desc
