-- The entities of touched records, those of links in what changed, and those whose members changed. Parameters %(dataset)s,
-- %(moved)s. A record that is part of another's entity stays touched: as an entity of its own it has nothing more to say.
insert into _touched
select t.entity_id
from (
    select m.entity_id
    from _touched r
    join core.member m on m.dataset = %(dataset)s and m.record = r.entity_id and m.publish_to is null
    union
    select l.entity_id
    from core.link l
    where l.dataset = %(dataset)s and l.publish_to is null and l.assessment_no = any (%(changed)s::bigint[])
    union
    select unnest(%(moved)s::bigint[])
) t
where not exists (select from _touched x where x.entity_id = t.entity_id)
