-- Posts that only one person of an organisation can hold, and that several hold at once.
with held as (
    select a.entity_id, a.valid_from, a.valid_to, a.organization_code, a.post, coalesce(m.entity_id, a.citizen_id) as person_id
    from core.assignments a
    left join core.member m on m.dataset = 'staff' and m.record = a.citizen_id and m.publish_to is null
    where a.publish_to is null and a.post = any (%(posts)s)
)
select
    h.entity_id,
    h.valid_from,
    count(o.entity_id) > 0 as failed,
    jsonb_build_object('holders', count(distinct o.person_id) + 1, 'organization', h.organization_code) as params
from held h
left join held o on o.organization_code = h.organization_code and o.post = h.post and o.person_id <> h.person_id
    and (h.valid_to is null or o.valid_from < h.valid_to) and (o.valid_to is null or o.valid_to > h.valid_from)
group by h.entity_id, h.valid_from, h.organization_code
