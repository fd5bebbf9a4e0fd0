-- How many keys of one assessment another one lacks, for many pairs at once. Parameters: %(before)s, %(after)s, arrays of one length.
insert into core.pair_difference (before_no, assessment_no, keys_before, keys_ended)
select p.before_no, p.after_no, count(b._key), count(b._key) filter (where a._key is null)
from unnest(%(before)s::bigint[], %(after)s::bigint[]) as p (before_no, after_no)
left join lateral (
    select distinct _key from staging.{rows} where _assessment = p.before_no and _key is not null
) b on true
left join lateral (
    select distinct _key from staging.{rows} where _assessment = p.after_no and _key = b._key
) a on true
group by p.before_no, p.after_no
on conflict (assessment_no, before_no) do nothing
returning before_no, assessment_no, keys_ended, keys_before
