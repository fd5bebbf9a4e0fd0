-- Spans of datasets whose rows carry their own validity (columns) or that of their period.
create temporary table _span on commit drop as
with counted as (
    select *, count(*) filter (where state = 'V') over (partition by entity_id, sender, vf order by as_of, seq) as nth
    from _event
    where vf is not null
),
carried as (
    select entity_id, sender, as_of, seq, state, vf,
           first_value(vt) over w as vt, first_value(home) over w as home, first_value(sheet) over w as sheet,
           first_value(row) over w as row, first_value(value) over w as value
    from counted
    where nth > 0
    window w as (partition by entity_id, sender, vf, nth order by as_of, seq)
),
settled as (
    select distinct on (entity_id, sender, vf) *
    from carried
    order by entity_id, sender, vf, as_of desc, seq desc
),
-- a later interval of the same entity cuts an earlier one that runs into it
bounded as (
    select *, least(vt, lead(vf) over (partition by entity_id, sender order by vf)) as until
    from settled
)
select entity_id, sender, vf as valid_from, until as valid_to, home, sheet, row, value, state = 'P' as carried, as_of, seq
from bounded
where until is null or until > vf
