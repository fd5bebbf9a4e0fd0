;
-- A steward's correction is no assertion that somebody is there: it speaks of that time only of which senders do, and of all of it.
-- Of several about one entity the last counts; each says everything that is corrected (assets/core/correction.py).
with spoken as (
    delete from _span where sender = 'STEWARD' returning *
),
last as (
    select distinct on (entity_id) * from spoken order by entity_id, as_of desc, seq desc
)
insert into _span (entity_id, sender, valid_from, valid_to, home, sheet, row, value, carried, as_of, seq)
select l.entity_id, l.sender, lower(t.span), upper(t.span), l.home, l.sheet, l.row, l.value, false, l.as_of, l.seq
from last l
cross join lateral (
    select unnest(range_agg(daterange(s.valid_from, s.valid_to))) as span
    from _span s
    where s.entity_id = l.entity_id and s.sender <> 'STEWARD'
) t
