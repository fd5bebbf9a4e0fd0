-- How many entities of one assessment another one lacks, where records may be parts of entities. Nothing is kept: who is whom
-- may change. Parameters: %(dataset)s, %(before)s, %(after)s, arrays of one length.
with pair as (
    select * from unnest(%(before)s::bigint[], %(after)s::bigint[]) as p (before_no, after_no)
),
named as materialized (
    select distinct r._assessment as assessment_no, coalesce(l.entity_id, m.entity_id, r._key) as entity_id
    from staging.{rows} r
    left join core.link l
        on l.assessment_no = r._home and l.sheet = r._sheet and l.row = r._home_row and l.publish_to is null
    left join core.member m on m.dataset = %(dataset)s and m.record = r._key and m.publish_to is null
    where r._assessment = any (%(before)s::bigint[] || %(after)s::bigint[])
      and (r._key is not null or l.entity_id is not null)
)
select p.before_no, p.after_no, count(b.entity_id) filter (where a.entity_id is null), count(b.entity_id)
from pair p
left join named b on b.assessment_no = p.before_no
left join named a on a.assessment_no = p.after_no and a.entity_id = b.entity_id
group by p.before_no, p.after_no
