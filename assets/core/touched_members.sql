-- The entities of touched records, those of links in what changed, and those whose members changed, these in all periods. Parameters
-- %(dataset)s, %(moved)s. A record that is part of another's entity stays touched: as an entity of its own it has nothing more to say.
with widened as (
    update _touched set whole = true where entity_id = any (%(moved)s::bigint[])
)
insert into _touched (entity_id, whole)
select t.entity_id, bool_or(t.whole)
from (
    select m.entity_id, r.whole
    from _touched r
    join core.member m on m.dataset = %(dataset)s and m.record = r.entity_id and m.publish_to is null
    union all
    select l.entity_id, false
    from core.link l
    where l.dataset = %(dataset)s and l.publish_to is null and l.assessment_no = any (%(changed)s::bigint[])
    union all
    select unnest(%(moved)s::bigint[]), true
) t
where not exists (select from _touched x where x.entity_id = t.entity_id)
group by t.entity_id
