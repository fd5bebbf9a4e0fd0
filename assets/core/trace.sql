-- The rows that assert a version of an entity: same entity, same values, from what was in force (or carried from what was
-- replaced) when the version was published. Newest first.
select u.submission_id, u.sender, u.period, u.as_of, u.received_at, s.standing, d.origin, d.file_name, d.sha256,
       r._sheet as sheet, r._row as row, a.layout, a.contract_version
from staging.{rows} r
join intake.assessment a on a.assessment_no = r._assessment
join intake.submission u using (submission_no)
join intake.delivery d using (delivery_id)
join core.standing s on s.submission_no = u.submission_no and s.assessment_no = a.assessment_no
    and s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
    and s.standing in ('in_force', 'superseded')
where r._key = %(entity)s and r._value = %(value)s
  and (%(any_time)s or (u.as_of >= %(valid_from)s and (%(valid_to)s::date is null or u.as_of < %(valid_to)s)))
order by s.standing, u.as_of desc, u.received_at desc
