-- Whose the rows of changes were and are, of changes that were written before anybody asked: by the versions that readers saw.
insert into core.change_owner (owner, publish, sequence, had, has)
select u.owner, c.publish, c.sequence, bool_or(u.had), bool_or(u.has)
from core.change c
join core.publish p on p.number = c.publish and p.state = 'published'
left join core.publish b on b.number = p.previous
cross join lateral (
    select unnest(array[{own}]) as owner, true as had, false as has
    from core.{table} h
    where h.entity_id = c.entity_id and h.valid_from = c.valid_from and h.publish_from <= b.shows
      and (h.publish_to is null or h.publish_to > b.shows)
    union all
    select unnest(array[{own}]), false, true
    from core.{table} h
    where h.entity_id = c.entity_id and h.valid_from = c.valid_from and h.publish_from <= p.shows
      and (h.publish_to is null or h.publish_to > p.shows)
) u
where c.dataset = {dataset} and u.owner is not null
group by 1, 2, 3
