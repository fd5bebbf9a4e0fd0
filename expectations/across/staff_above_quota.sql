-- Organisations with more people at work than posts that they were given: those of the latest list of staff in the year, without
-- people on contract.
with listed as (
    select q.entity_id, q.valid_from, max(s.valid_from) as day
    from core.annual_quotas q
    join core.staff s on s.organization_code = q.organization_code and s.publish_to is null
        and s.valid_from >= q.valid_from and s.valid_from < q.valid_to
    where q.publish_to is null
    group by q.entity_id, q.valid_from
)
select
    q.entity_id,
    q.valid_from,
    count(*) > q.civil_servant_posts + coalesce(q.{column}, 0) as failed,
    jsonb_build_object('value', q.civil_servant_posts + coalesce(q.{column}, 0), 'people', count(*)) as params
from core.annual_quotas q
join listed l on l.entity_id = q.entity_id and l.valid_from = q.valid_from
join core.staff s on s.organization_code = q.organization_code and s.publish_to is null
    and s.valid_from <= l.day and (s.valid_to is null or s.valid_to > l.day)
    and (s.started_on is null or s.started_on <= l.day) and (s.left_on is null or s.left_on >= l.day)
    and s.employment_type in ('CAN_BO', 'CONG_CHUC', 'VIEN_CHUC')
where q.publish_to is null and q.civil_servant_posts is not null
group by q.entity_id, q.valid_from, q.civil_servant_posts, q.{column}
