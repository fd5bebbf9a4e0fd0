-- Columns about which live senders give different values, piece by piece, coalesced over pieces in which they say the same.
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
stands as (
    select * from said where place = 1
),
-- the best of those who give another value
rival as (
    select distinct on (r._entity, r._at, r.attribute) r._entity, r._at, r.attribute, r.keys
    from said r
    join stands s using (_entity, _at, attribute)
    where r.form is not null and r.form is distinct from s.form
    order by r._entity, r._at, r.attribute, r.place
),
disputed as (
    select s._entity, s._at, s._until, s.attribute,
           jsonb_build_object('sender', s.sender, 'value', s.value) as chosen,
           (select jsonb_agg(jsonb_build_object('sender', o.sender, 'value', o.value) order by o.sender, o.place)
            from said o
            where o._entity = s._entity and o._at = s._at and o.attribute = s.attribute
              and o.place > 1 and o.form is not null) as others,
           coalesce((
               select s.rules[i] from generate_subscripts(s.keys, 1) i where s.keys[i] <> r.keys[i] order by i limit 1
           ), 'sender') as rule
    from stands s
    join rival r using (_entity, _at, attribute)
),
started as (
    select *,
           case when lag(_until) over w is not distinct from _at then 0 else 1 end as begins,
           case when lag(_until) over w is not distinct from _at and lag(chosen) over w = chosen
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
