-- Values of one thing of which two hold at once: the younger one counts, and the older one was never ended.
select
    a.entity_id,
    a.valid_from,
    count(b.entity_id) > 0 as failed,
    jsonb_build_object('since', to_char(min(b.valid_from), 'DD/MM/YYYY')) as params
from {table} a
left join {table} b on {same key: a b} and b.entity_id <> a.entity_id and b.publish_to is null
    and b.valid_from > a.valid_from and b.valid_from < coalesce(a.valid_to, 'infinity')
where a.publish_to is null
group by a.entity_id, a.valid_from
