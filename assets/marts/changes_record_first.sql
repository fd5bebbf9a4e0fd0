-- Nothing was seen of it before: every row is new.
with found as materialized (
    select %(recorded)s + row_number() over () as sequence, _new._entity, _new._from, _new._to, {has} as has
    from {at}({after}) _new
), written as (
    insert into core.change (publish, sequence, dataset, entity_id, operation, valid_from, valid_to)
    select %(publish)s, f.sequence, %(dataset)s, f._entity, 'insert', f._from, f._to
    from found f
), owned as (
    insert into core.change_owner (owner, publish, sequence, had, has)
    select o.owner, %(publish)s, f.sequence, false, true
    from found f
    cross join lateral unnest(f.has) o (owner)
    {twice}
)
select count(*) from found
