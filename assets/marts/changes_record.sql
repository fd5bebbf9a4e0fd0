-- What readers see otherwise after a publish ({after}) than before it ({before}), of the rows that the publishes between the two touched,
-- and whose each row was and is. What differs only in columns that they do not see is no change.
with found as materialized (
    select %(recorded)s + row_number() over () as sequence, t.entity_id,
           case when _old._entity is null then 'insert' when _new._entity is null then 'delete' else 'update' end as operation,
           t.since, case when _new._entity is null then _old._to else _new._to end as until, {had} as had, {has} as has
    from {touched}({low}, {high}) t
    left join {at}({before}) _old on _old._entity = t.entity_id and _old._from = t.since
    left join {at}({after}) _new on _new._entity = t.entity_id and _new._from = t.since
    where row(_old.*) is distinct from row(_new.*)
), written as (
    insert into core.change (publish, sequence, dataset, entity_id, operation, valid_from, valid_to)
    select %(publish)s, f.sequence, %(dataset)s, f.entity_id, f.operation, f.since, f.until
    from found f
), owned as (
    insert into core.change_owner (owner, publish, sequence, had, has)
    select o.owner, %(publish)s, f.sequence, o.owner = any (f.had), o.owner = any (f.has)
    from found f
    cross join lateral (select distinct u.owner from unnest(f.had || f.has) u (owner)) o
)
select count(*) from found
