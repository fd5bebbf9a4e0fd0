-- End and begin in system time what differs from the last publish; both ends of the edges that differ.
with ended as (
    update core.succession s
    set publish_to = %(publish)s
    where s.dataset = %(dataset)s and s.publish_to is null and not exists (
        select from _edge e
        where e.successor_id = s.successor_id and e.predecessor_id is not distinct from s.predecessor_id and e.said = s.said
          and e.effective_date = s.effective_date and e.kind = s.kind and e.goes_on = s.goes_on
          and e.submission_no = s.submission_no)
    returning s.predecessor_id, s.successor_id
),
begun as (
    insert into core.succession
        (dataset, predecessor_id, successor_id, said, effective_date, kind, goes_on, submission_no, publish_from)
    select %(dataset)s, e.predecessor_id, e.successor_id, e.said, e.effective_date, e.kind, e.goes_on, e.submission_no, %(publish)s
    from _edge e
    where not exists (
        select from core.succession s
        where s.dataset = %(dataset)s and s.publish_to is null and s.successor_id = e.successor_id
          and s.predecessor_id is not distinct from e.predecessor_id and s.said = e.said
          and s.effective_date = e.effective_date and s.kind = e.kind and s.goes_on = e.goes_on
          and s.submission_no = e.submission_no)
    returning predecessor_id, successor_id
)
select array_agg(distinct id) filter (where id is not null)
from (select * from ended union all select * from begun) d
cross join lateral (values (d.predecessor_id), (d.successor_id)) v (id)
