-- Entities of which several senders speak: only they pay for what follows.
create temporary table _several on commit drop as
select entity_id from _span group by entity_id having min(sender) <> max(sender)
