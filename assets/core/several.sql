-- Entities of which several senders speak: only they pay for what follows. (Counted, since comparing the least and the
-- greatest text takes twice as long.)
create temporary table _several on commit drop as
select entity_id from _span group by entity_id having count(distinct sender) > 1
