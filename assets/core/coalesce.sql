-- Gaps and islands: spans of one entity that touch and say the same are one version, but for values of periods: each of them is
-- a fact of its own (apart).
create temporary table _desired on commit drop as
with started as (
    select *, case when not {apart} and lag(valid_to) over w is not distinct from valid_from and lag(value) over w = value then 0 else 1 end as starts
    from _span
    window w as (partition by entity_id order by valid_from)
),
numbered as (
    select *, sum(starts) over (partition by entity_id order by valid_from) as island from started
),
known as (
    select *, max(valid_from) filter (where not carried) over (partition by entity_id, island) as last_word from numbered
)
select entity_id,
       min(valid_from) as valid_from,
       case when bool_or(valid_to is null) then null else max(valid_to) end as valid_to,
       min(value) as value_hash,
       min(valid_from) filter (where carried and valid_from > coalesce(last_word, '-infinity')) as carried_since,
       (array_agg(home order by valid_from))[1] as home,
       (array_agg(sheet order by valid_from))[1] as sheet,
       (array_agg(row order by valid_from))[1] as row
from known
group by entity_id, island
