-- The rows that assert a version of an entity: same entity, same values, from what was in force (or carried from what was
-- replaced) when the version was published. Newest first.
--
-- Mostly they speak of a day in the version's own time. Where none does, the last word before it counts: a value that was
-- carried on over a gap, or one that came to stand only when a better sender fell silent.
with assertion as (
    select u.submission_id, u.sender, u.period, u.as_of, u.received_at, s.standing, d.origin, d.file_name, d.sha256,
           r._sheet as sheet, r._row as row, a.layout, a.contract_version, u.as_of >= %(valid_from)s as within
    from staging.{rows} r
    join intake.assessment a on a.assessment_no = r._assessment
    join intake.submission u using (submission_no)
    join intake.delivery d using (delivery_id)
    join core.standing s on s.submission_no = u.submission_no and s.assessment_no = a.assessment_no
        and s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
        and s.standing in ('in_force', 'superseded')
    where r._key = %(entity)s and r._value = %(value)s
      and (%(any_time)s or %(valid_to)s::date is null or u.as_of < %(valid_to)s)
)
select submission_id, sender, period, as_of, received_at, standing, origin, file_name, sha256, sheet, row, layout, contract_version
from assertion
where %(any_time)s or within
   or (not exists (select from assertion where within) and as_of = (select max(as_of) from assertion))
order by standing, as_of desc, received_at desc
