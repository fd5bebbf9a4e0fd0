-- What changed for readers, publish by publish. Outer joins and '+ 0': without statistics too the planner must not think that a range of
-- publishes is few rows, and sort them all. Which row it is and what it says is looked up only for rows that are returned.
select c.publish, c.sequence, p.changes, p.changed_before as previous, c.dataset, {entity} as entity_id, c.operation, c.valid_from,
       c.valid_to, (said.row).key, (said.row).data
from core.change c
left join core.publish p on p.number = c.publish
left join core.publish b on b.number = p.previous
cross join lateral (select case c.dataset {cases} end as row offset 0) said
where c.publish + 0 <= (select max(l.number) from core.publish l where l.state = 'published')
