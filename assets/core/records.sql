-- The records of the touched entities: an entity's own, unless it is part of another's, and its members. Parameter %(dataset)s.
create temporary table _record on commit drop as
select t.entity_id as record, t.entity_id, t.whole
from _touched t
where not exists (
    select from core.member m where m.dataset = %(dataset)s and m.record = t.entity_id and m.publish_to is null
)
union all
select m.record, m.entity_id, t.whole
from _touched t
join core.member m on m.dataset = %(dataset)s and m.entity_id = t.entity_id and m.publish_to is null
