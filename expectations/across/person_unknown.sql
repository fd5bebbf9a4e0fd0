-- Rows about persons whom no list of staff has, now or before; nothing is judged before there is one.
select
    a.entity_id,
    a.valid_from,
    s.entity_id is null as failed,
    jsonb_build_object('organization', a.organization_code) as params
from {table} a
left join core.member m on m.dataset = 'staff' and m.record = a.{column} and m.publish_to is null
left join (select distinct entity_id from core.staff where publish_to is null) s
    on s.entity_id = coalesce(m.entity_id, a.{column})
where a.publish_to is null and exists (select from core.staff where publish_to is null)
