-- What came of organisations and villages that were merged, split or renamed: derived from the rows in force, by publish.
-- predecessor_id is null where nobody knows what was named (said); goes_on: its own senders assert it after that day.
create table core.succession (
    dataset        text not null,
    predecessor_id bigint,
    successor_id   bigint not null,
    said           text not null,
    effective_date date not null,
    kind           text not null check (kind in ('RENAME', 'MERGE', 'SPLIT', 'PART')),
    goes_on        boolean not null,
    submission_no  bigint not null,
    publish_from   bigint not null,
    publish_to     bigint
);
create index on core.succession (dataset, successor_id) where publish_to is null;
create index on core.succession (dataset, predecessor_id);
create index on core.succession (publish_from);

create view mart_v1.successions as
select s.dataset, s.predecessor_id, s.successor_id, s.said as predecessor, s.effective_date, s.kind, s.goes_on
from core.succession s, core.pointer p
where s.publish_from <= p.shows and (s.publish_to is null or s.publish_to > p.shows);

-- What an id of some day stands for today: itself, or what came of it. An id of which only a part went elsewhere stays itself.
create function mart_v1.current_ids(of_dataset text, of_id bigint) returns table (entity_id bigint, since date)
language sql stable as $$
    with recursive reached (entity_id, since, path) as (
        select of_id, '-infinity'::date, array[of_id]
        union all
        select s.successor_id, s.effective_date, r.path || s.successor_id
        from reached r
        join mart_v1.successions s on s.dataset = of_dataset and s.predecessor_id = r.entity_id
        where not s.goes_on and s.effective_date >= r.since
          -- a name that is taken back later is reached again, one that is taken back on the same day is not
          and (s.effective_date > r.since or s.successor_id <> all (r.path))
    )
    select distinct on (r.entity_id) r.entity_id, nullif(r.since, '-infinity')
    from reached r
    where not exists (
        select from mart_v1.successions s
        where s.dataset = of_dataset and s.predecessor_id = r.entity_id and not s.goes_on
          and s.effective_date >= r.since and (s.effective_date > r.since or s.successor_id <> all (r.path)))
    order by r.entity_id, r.since desc
$$;
