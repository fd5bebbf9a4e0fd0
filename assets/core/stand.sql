-- What stands in each piece, as spans: the first word where all say the same, else the composed row. It has the value (and
-- the place) of a word that says all of it, of the piece itself or of the entity's others; else a digest of its own.
insert into _span (entity_id, sender, valid_from, valid_to, home, sheet, row, value, carried, as_of, seq)
select _entity, _sender, _at, _until, _home, _sheet, _row, _value, _carried, _as_of, _seq
from _word
where _n = 1 and not _differs
union all
select c._entity, null, c._at, c._until, s._home, s._sheet, s._row, coalesce(s._value, {digest}), c._carry, null, null
from _composed c
left join (
    select distinct on (c._entity, c._at) c._entity, c._at, w._home, w._sheet, w._row, w._value
    from _composed c
    join _word w on w._entity = c._entity and {same}
    order by c._entity, c._at, w._at <> c._at, w._n, w._value
) s on s._entity = c._entity and s._at = c._at
