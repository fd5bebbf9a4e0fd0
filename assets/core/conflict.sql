-- Columns about which live senders give different values, piece by piece, coalesced over pieces in which they say the same; values
-- of periods are told apart (apart).
-- rule = the first key by which the word that stands differs from the next one with another value; since = the first day of
-- the dispute, whatever was said in it.
create temporary table _conflict on commit drop as
with said as (
    select w._entity, w._at, w._until, u.*, w._sender as sender,
           row_number() over (partition by w._entity, w._at, u.attribute order by u.keys, w._n) as place
    from _composed c
    join _word w on w._entity = c._entity and w._at = c._at
    cross join lateral (values
    {said}
    ) u (attribute, value, form, given, keys, rules)
    where u.attribute = any (c._differing) and u.given
),
compared as (
    select *, first_value(form) over w as stands, first_value(keys) over w as best
    from said
    window w as (partition by _entity, _at, attribute order by place)
),
ruled as (
    select *,
           case when form is not null and form is distinct from stands then coalesce((
               select rules[i] from generate_subscripts(keys, 1) i where keys[i] <> best[i] order by i limit 1
           ), 'sender') end as rule
    from compared
),
disputed as (
    select _entity, _at, _until, attribute,
           (array_agg(jsonb_build_object('sender', sender, 'value', value)) filter (where place = 1))[1] as chosen,
           jsonb_agg(jsonb_build_object('sender', sender, 'value', value) order by sender, place)
               filter (where place > 1 and form is not null) as others,
           (array_agg(rule order by place) filter (where rule is not null))[1] as rule
    from ruled
    group by _entity, _at, _until, attribute
),
started as (
    select *,
           case when not {apart} and lag(_until) over w is not distinct from _at then 0 else 1 end as begins,
           case when not {apart} and lag(_until) over w is not distinct from _at and lag(chosen) over w = chosen
                     and lag(others) over w = others and lag(rule) over w = rule
                then 0 else 1 end as turns
    from disputed
    window w as (partition by _entity, attribute order by _at)
),
numbered as (
    select *, sum(begins) over w as dispute, sum(turns) over w as island
    from started
    window w as (partition by _entity, attribute order by _at)
),
dated as (
    select *, min(_at) over (partition by _entity, attribute, dispute) as since from numbered
)
select _entity as entity_id, attribute, min(_at) as valid_from,
       case when bool_or(_until is null) then null else max(_until) end as valid_to,
       chosen, others, rule, since
from dated
group by _entity, attribute, island, chosen, others, rule, since
