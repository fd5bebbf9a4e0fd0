-- Rows that name an organisation which no list of organisations has; nothing is judged before there is one.
select
    r.entity_id,
    r.valid_from,
    o.organization_code is null as failed,
    jsonb_build_object('organization', r.organization_code) as params
from {table} r
left join (select distinct organization_code from core.organizations where publish_to is null) o using (organization_code)
where r.publish_to is null and r.organization_code is not null
  and exists (select from core.organizations where publish_to is null)
