-- Successors whose rows name a predecessor that nobody knows.
select
    h.entity_id,
    h.valid_from,
    bool_or(s.predecessor_id is null) as failed,
    jsonb_build_object('unknown', string_agg(s.said, '; ' order by s.said) filter (where s.predecessor_id is null)) as params
from core.succession s
join {table} h on h.entity_id = s.successor_id and h.publish_to is null
    and h.valid_from <= s.effective_date and (h.valid_to is null or h.valid_to > s.effective_date)
where s.dataset = %(dataset)s and s.publish_to is null
group by h.entity_id, h.valid_from
