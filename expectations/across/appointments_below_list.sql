-- Organisations that report fewer appointments of a year, or fewer published ones, than the list of posts has.
select
    q.entity_id,
    q.valid_from,
    count(*) > q.appointments or count(*) filter (where a.published) > q.appointments_published as failed,
    jsonb_build_object(
        'value', q.appointments, 'published', q.appointments_published,
        'listed', count(*), 'listed_published', count(*) filter (where a.published)
    ) as params
from core.annual_quotas q
join core.assignments a on a.organization_code = q.organization_code and a.publish_to is null and a.appointment = 'BO_NHIEM'
    and a.started_on >= q.valid_from and a.started_on < q.valid_to
where q.publish_to is null and q.appointments is not null and q.appointments_published is not null
group by q.entity_id, q.valid_from, q.appointments, q.appointments_published
