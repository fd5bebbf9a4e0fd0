-- changes with core.member m: m.dataset = 'staff' and m.record = h.citizen_id
-- Who was evaluated where and when: the person by the id that staff publishes, whichever number the sender wrote. Scores and rating
-- are personal (P2) and for those who keep them; what may be known of a unit, its indicators tell.
-- In two parts, so that what is asked of one person is found by an index on either side.
select
    m.entity_id as person_id,
    h.organization_code,
    h.task_group,
    h.approved_on,
    h.commune_code,
    h.valid_from,
    h.valid_to,
    h.carried_since
from core.pointer p
join core.member m
    on m.dataset = 'staff' and m.publish_from <= p.shows and (m.publish_to is null or m.publish_to > p.shows)
join core.kpi_evaluations h on h.citizen_id = m.record
where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
union all
select
    h.citizen_id as person_id,
    h.organization_code,
    h.task_group,
    h.approved_on,
    h.commune_code,
    h.valid_from,
    h.valid_to,
    h.carried_since
from core.pointer p
cross join core.kpi_evaluations h
where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
    and not exists (
        select from core.member m
        where m.dataset = 'staff' and m.record = h.citizen_id
            and m.publish_from <= p.shows and (m.publish_to is null or m.publish_to > p.shows)
    )
