-- What changed for readers, publish by publish. Outer joins and '+ 0': without statistics too the planner must not think that a range of
-- publishes is few rows, and sort them all. Which row it is and what it says is looked up only for rows that are returned.
select c.publish, c.sequence, p.changes, p.changed_before as previous, c.dataset, {entity} as entity_id, c.operation, c.valid_from,
       c.valid_to, case when said.row is not null then case c.dataset {key} end end as key,
       case when c.operation <> 'delete' then said.row end as data
from core.change c
left join core.publish p on p.number = c.publish
cross join lateral (
    select case c.dataset {said} end as row
    -- a row that is gone is asked for as of the publish before
    from (select case when c.operation = 'delete' then (select b.shows from core.publish b where b.number = p.previous) else p.shows end
          as shows offset 0) t
    offset 0
) said
where c.publish + 0 <= (select max(l.number) from core.publish l where l.state = 'published')
