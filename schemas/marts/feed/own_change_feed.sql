-- What changed for the reader: of rows of its own units, and of datasets that it was granted by name. A row that went to another unit is a
-- delete for the one that it left, as it was before. What is the reader's is ordered first, and what a row says looked up for rows returned.
select c.publish, c.sequence, c.changes, c.previous, c.dataset, {entity} as entity_id, c.operation, c.valid_from,
       case when c.operation = 'delete' and c.written <> 'delete' then (said.row ->> 'valid_to')::date else c.valid_to end as valid_to,
       case when said.row is not null then case c.dataset {key} end end as key,
       case when c.operation <> 'delete' then said.row end as data
from (
    select o.publish, o.sequence, p.changes, p.changed_before as previous, l.dataset, l.entity_id, l.operation as written, l.valid_from,
           l.valid_to, p.shows, p.previous as before,
           case when l.operation = 'erase' then 'erase' when o.had and o.has then 'update' when o.has then 'insert' else 'delete' end as operation
    from (
        select u.publish, u.sequence, bool_or(u.had) as had, bool_or(u.has) as has
        from (
            select w.publish, w.sequence, w.had, w.has
            from core.change_owner w
            where w.owner = any ((select ops.own_units())::text[])
            union all
            select g.publish, g.sequence, g.operation <> 'insert', g.operation in ('insert', 'update')
            from core.change g
            -- without such a grant nothing is looked at
            where (select cardinality(ops.own_datasets())) > 0 and g.dataset = any ((select ops.own_datasets())::text[])
        ) u
        group by u.publish, u.sequence
    ) o
    -- line by line, whatever the planner thinks of how many there are
    cross join lateral (select * from core.change k where k.publish = o.publish and k.sequence = o.sequence offset 0) l
    left join core.publish p on p.number = o.publish
    where o.publish <= (select max(m.number) from core.publish m where m.state = 'published')
    order by o.publish, o.sequence
) c
cross join lateral (
    select case c.dataset {said} end as row
    from (select case when c.operation = 'delete' then (select b.shows from core.publish b where b.number = c.before) else c.shows end
          as shows offset 0) t
    offset 0
) said
