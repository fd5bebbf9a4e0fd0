-- Predecessors that their own senders assert on or after the day on which a successor began: a part was split off, or one of
-- the two is wrong.
select
    p.entity_id,
    p.valid_from,
    bool_or(s.goes_on) as failed,
    jsonb_build_object(
        'successors', string_agg(distinct h.{name}, '; ') filter (where s.goes_on),
        'day', to_char(min(s.effective_date) filter (where s.goes_on), 'DD/MM/YYYY')) as params
from core.succession s
join {table} h on h.entity_id = s.successor_id and h.publish_to is null
join lateral (
    -- the version of the day, else the last one before it
    select entity_id, valid_from
    from {table}
    where entity_id = s.predecessor_id and publish_to is null and valid_from <= s.effective_date
    order by valid_from desc
    limit 1
) p on true
where s.dataset = %(dataset)s and s.publish_to is null
group by p.entity_id, p.valid_from
