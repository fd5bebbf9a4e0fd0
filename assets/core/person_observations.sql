-- What rows of a person said, and where each stands. Parameters as in person_others.sql; columns = the contract's, cleartext apart.
select u.submission_id, u.sender, u.period, u.as_of, u.received_at, u.state, d.file_name, d.origin, d.destroyed_at, d.destroyed_why,
       o._sheet as sheet_no, o._row as row, o._ok as accepted, a.contract_version, a.layout, q.raw, {columns}
from unnest(%(assessments)s::bigint[], %(sheets)s::smallint[], %(rows)s::integer[]) as m (a, s, r)
join staging.{name} o on o._assessment = m.a and o._sheet = m.s and o._row = m.r
join intake.assessment a on a.assessment_no = o._assessment
join intake.submission u on u.submission_no = a.submission_no
join intake.delivery d on d.delivery_id = u.delivery_id
left join staging.quarantine q on q.assessment_no = m.a and q.sheet = m.s and q.row = m.r
order by u.received_at, u.submission_no, a.assessment_no, o._sheet, o._row
