    select k.entity_id, k.sender, f.as_of, f.seq::numeric, 'A', null::bigint, null::smallint, null::integer, null::bigint
    from (select entity_id, sender, min(as_of) as first from _event group by entity_id, sender) k
    join _force f on f.sender = k.sender and f.as_of > k.first and not f.ends_nobody
    where not exists (select from _event e where e.entity_id = k.entity_id and e.sender = k.sender and e.seq = f.seq)
