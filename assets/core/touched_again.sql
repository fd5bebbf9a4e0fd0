-- The same as touched.sql without the entities that a list of %(after)s says as the one before it did (%(before)s, in this order), in
-- one fit row each, and of which nobody else speaks still: each sender's lists back to one whose silence ends what it does not name.
create temporary table _touched on commit drop as
with pair as (
    select * from unnest(%(after)s::bigint[], %(before)s::bigint[]) p (after_no, before_no)
),
live as (
    select assessment_no, sender
    from (
        select assessment_no, sender,
               count(*) filter (where not ends_nobody) over (
                   partition by sender order by as_of desc range between unbounded preceding and current row exclude group
               ) as closed
        from _force
    ) f
    where closed = 0
),
several as (
    select r._key as key
    from staging.{rows} r
    join live l on l.assessment_no = r._assessment
    where r._key is not null
    group by 1
    having count(distinct l.sender) > 1
),
said as (
    select r._assessment as no, r._key as key, min(r._value) as value, count(*) = 1 and bool_and(r._ok) and bool_and(x.row is null) as sound
    from staging.{rows} r
    left join core.mention x on x.assessment_no = r._home and x.sheet = r._sheet and x.row = r._home_row and x.publish_to is null
    where r._assessment = any (%(after)s::bigint[] || %(before)s::bigint[]) and r._key is not null
    group by 1, 2
),
alike as (
    select a.key
    from pair p
    join said a on a.no = p.after_no and a.sound
    join said b on b.no = p.before_no and b.sound and b.key = a.key and b.value = a.value
    where not exists (select from several s where s.key = a.key)
      and not exists (
          select from core.member m where m.dataset = %(dataset)s and m.publish_to is null and a.key in (m.record, m.entity_id)
      )
)
select distinct r._key as entity_id, false as whole
from staging.{rows} r
where r._assessment = any (%(changed)s) and r._key is not null
  and (r._assessment <> all (%(after)s::bigint[] || %(before)s::bigint[]) or not exists (select from alike a where a.key = r._key))
