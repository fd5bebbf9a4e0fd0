-- Rows that speak, or that a quarantined row in force may lean on, and name predecessors. scope = the other key columns. entity =
-- whose row it is, where records may be parts of entities or rows of another's.
select distinct {entity}, r._home, r._sheet, r._home_row, r.{succeeds}, {scope}
from core.standing s
join staging.{rows} r on r._assessment = s.assessment_no
{members}
where s.dataset = %(dataset)s and s.publish_to is null and s.standing in ('in_force', 'superseded')
  and {entity} is not null and r.{succeeds} is not null
