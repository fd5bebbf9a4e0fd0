-- Statistics that begin with another stock than the period before ended with.
select
    n.entity_id,
    n.valid_from,
    n.opening_stock <> b.pending_in_time + b.pending_overdue as failed,
    jsonb_build_object('value', n.opening_stock, 'before', b.pending_in_time + b.pending_overdue) as params
from core.service_statistics n
join core.service_statistics b on b.entity_id = n.entity_id and b.valid_to = n.valid_from and b.publish_to is null
where n.publish_to is null and {since: n} and n.opening_stock is not null and b.pending_in_time is not null and b.pending_overdue is not null
