-- Rows that a version of an entity may come from: same entity, and all of its values (whole) or some (told), from what was in
-- force (or carried from what was replaced) when the version was published. Newest first.
--
-- Mostly they speak of a day in the version's own time (within). Where none does, the last word before it counts: a value that
-- was carried on over a gap, or one that came to stand only when a better sender fell silent.
with version as (
    select * from core.{name}
    where entity_id = %(entity)s and valid_from = %(valid_from)s and publish_from = %(publish_from)s
),
-- the records of the entity then, and the rows without a readable key that were known to be of it
record as (
    select v.entity_id as record
    from version v
    union
    select m.record
    from version v
    join core.member m on m.dataset = %(dataset)s and m.entity_id = v.entity_id
        and m.publish_from <= %(shows)s and (m.publish_to is null or m.publish_to > %(shows)s)
),
known as (
    select l.assessment_no, l.sheet, l.row, l.cured
    from version v
    join core.link l on l.dataset = %(dataset)s and l.entity_id = v.entity_id
        and l.publish_from <= %(shows)s and (l.publish_to is null or l.publish_to > %(shows)s)
),
said as (
    select r.* from staging.{rows} r where r._key = any (array(select record from record))
    union all
    select r.* from known k join staging.{rows} r on r._assessment = k.assessment_no and r._sheet = k.sheet and r._row = k.row
),
assertion as (
    select u.submission_id, u.sender, u.period, u.as_of, u.received_at, s.standing, d.origin, d.file_name, d.sha256,
           r._sheet as sheet, r._row as row, a.layout, a.contract_version,
           %(any_time)s or u.as_of >= v.valid_from as within, r._value = v.value_hash as whole, r._value as value,
           case when r._ok or k.cured or exists (
               select from intake.decision w
               where w.kind = 'waive' and w.submission_id = u.submission_id and w.sheet = r._sheet and w.row = r._row
           ) then array_remove(array[{told}]::text[], null) else '{{}}' end as told
    from version v
    cross join said r
    left join known k on k.assessment_no = r._assessment and k.sheet = r._sheet and k.row = r._row
    join intake.assessment a on a.assessment_no = r._assessment
    join intake.submission u using (submission_no)
    join intake.delivery d using (delivery_id)
    join core.standing s on s.submission_no = u.submission_no and s.assessment_no = a.assessment_no
        and s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
        and s.standing in ('in_force', 'superseded')
    where %(any_time)s or v.valid_to is null or u.as_of < v.valid_to or u.sender = 'STEWARD'
)
select * from assertion
where %(all)s or whole or told <> '{{}}'
order by standing, as_of desc, received_at desc
