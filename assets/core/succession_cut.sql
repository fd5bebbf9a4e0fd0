-- A predecessor ends where its successor begins, also where its sender is late: spans that run over that day are cut there,
-- but for those of senders that assert it on or after that day, until it may be a successor itself.
with edge as (
    select predecessor_id as entity_id, effective_date, (
               select min(b.effective_date) from core.succession b
               where b.dataset = s.dataset and b.publish_to is null and b.successor_id = s.predecessor_id
                 and b.effective_date > s.effective_date) as reborn
    from core.succession s
    where s.dataset = %(dataset)s and s.publish_to is null and s.predecessor_id is not null
),
word as (
    select distinct on (entity_id, sender, day) *
    from (select *, coalesce(vf, as_of) as day from _event) e
    order by entity_id, sender, day, as_of desc, seq desc
),
ends as (
    select s.entity_id, s.sender, s.valid_from, min(e.effective_date) as at
    from _span s
    join edge e on e.entity_id = s.entity_id and s.valid_from < e.effective_date
        and (s.valid_to is null or s.valid_to > e.effective_date)
    where not exists (
        select from word w
        where w.entity_id = s.entity_id and w.sender = s.sender and (e.reborn is null or w.day < e.reborn)
          and case when w.vf is null then w.as_of >= e.effective_date
                   else (w.as_of >= e.effective_date and (w.vt is null or w.vt > e.effective_date))
                        or w.vt > e.effective_date or w.vf >= e.effective_date end
    )
    group by 1, 2, 3
)
update _span s
set valid_to = ends.at
from ends
where s.entity_id = ends.entity_id and s.sender = ends.sender and s.valid_from = ends.valid_from
