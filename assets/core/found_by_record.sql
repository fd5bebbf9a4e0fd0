-- The rows of all records of the touched entities, and the rows that were linked to them for want of a readable key, or because
-- their key is an old name; a cured one speaks as if its key had been read. Parameter %(dataset)s; own_from, own_to, within as in
-- found_by_key.sql.
    select o._assessment, o._sheet, o._row, t.entity_id as key, {value} as _value, {ok} as _ok, ({own_from})::date as vf, ({own_to})::date as vt, t.whole
    from _record t
    join staging.{name} o on o._key = t.record{within}
    where not exists (
        select from core.link l
        where l.assessment_no = o._assessment and l.sheet = o._sheet and l.row = o._row and l.keyed and l.publish_to is null
    )
    union all
    select o._assessment, o._sheet, o._row, t.entity_id, {value}, l.cured, ({own_from})::date, ({own_to})::date, t.whole
    from _touched t
    join core.link l on l.dataset = %(dataset)s and l.entity_id = t.entity_id and l.publish_to is null
    join staging.{name} o on o._assessment = l.assessment_no and o._sheet = l.sheet and o._row = l.row{within}
