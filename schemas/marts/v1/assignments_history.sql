-- changes with core.member m: m.dataset = 'staff' and m.record = h.citizen_id
-- Who holds which post: the person by the id that staff publishes, whichever number the sender wrote (domain brief, D04 -> D03).
-- Neither the number nor its subject is shown, and whether somebody is local only to those who keep it (P2).
-- In two parts, so that what is asked of one person is found by an index on either side.
select
    h.entity_id as assignment_id,
    m.entity_id as person_id,
    h.organization_code,
    h.post,
    h.acting,
    h.specialism,
    h.is_main,
    h.appointment,
    h.decision_no,
    h.decision_date,
    h.published,
    h.started_on,
    h.ended_on,
    h.commune_code,
    h.valid_from,
    h.valid_to,
    h.carried_since
from core.pointer p
join core.member m
    on m.dataset = 'staff' and m.publish_from <= p.shows and (m.publish_to is null or m.publish_to > p.shows)
join core.assignments h on h.citizen_id = m.record
where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
union all
select
    h.entity_id as assignment_id,
    h.citizen_id as person_id,
    h.organization_code,
    h.post,
    h.acting,
    h.specialism,
    h.is_main,
    h.appointment,
    h.decision_no,
    h.decision_date,
    h.published,
    h.started_on,
    h.ended_on,
    h.commune_code,
    h.valid_from,
    h.valid_to,
    h.carried_since
from core.pointer p
cross join core.assignments h
where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
    and not exists (
        select from core.member m
        where m.dataset = 'staff' and m.record = h.citizen_id
            and m.publish_from <= p.shows and (m.publish_to is null or m.publish_to > p.shows)
    )
