-- Main posts that one person holds at once. Persons are those of staff: the records that the linkage has joined are one.
with held as (
    select a.entity_id, a.valid_from, a.valid_to, a.organization_code, coalesce(m.entity_id, a.citizen_id) as person_id
    from core.assignments a
    left join core.member m on m.dataset = 'staff' and m.record = a.citizen_id and m.publish_to is null
    where a.publish_to is null and a.is_main
)
select
    h.entity_id,
    h.valid_from,
    count(o.entity_id) > 0 as failed,
    jsonb_build_object('others', string_agg(distinct o.organization_code, ', ' order by o.organization_code)) as params
from held h
left join held o on o.person_id = h.person_id and o.entity_id <> h.entity_id
    and (h.valid_to is null or o.valid_from < h.valid_to) and (o.valid_to is null or o.valid_to > h.valid_from)
group by h.entity_id, h.valid_from
