-- Spans of datasets whose rows are valid from their submission's as-of date until the sender's next word.
--
-- absent = the words of a complete list about what it does not name (snapshot), or an empty relation; until = the end
-- of a word's validity in terms of the window w (the next word; or sooner, where a value goes stale).
create temporary table _span on commit drop as
with absent as (
    {absent}
),
-- P carries the last value on; before the first value there is nothing to carry
counted as (
    select *, count(*) filter (where state = 'V') over (partition by entity_id, sender order by as_of, seq) as nth
    from (select entity_id, sender, as_of, seq, state, home, sheet, row, value from _event union all select * from absent) e
),
carried as (
    select entity_id, sender, as_of, seq, state,
           first_value(home) over w as home, first_value(sheet) over w as sheet,
           first_value(row) over w as row, first_value(value) over w as value
    from counted
    where nth > 0
    window w as (partition by entity_id, sender, nth order by as_of, seq)
),
-- of several words about one day the last received counts
settled as (
    select distinct on (entity_id, sender, as_of) *
    from carried
    order by entity_id, sender, as_of, seq desc
),
bounded as (
    select *, {until} as until
    from settled
    window w as (partition by entity_id, sender order by as_of)
)
select entity_id, sender, as_of as valid_from, until as valid_to, home, sheet, row, value, state = 'P' as carried, as_of, seq
from bounded
where state <> 'A'
