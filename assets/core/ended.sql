-- How many of a submission's keys another one lacks.
insert into core.pair_difference (assessment_no, before_no, keys_before, keys_ended)
select %(after)s, %(before)s, count(*), count(*) filter (where not exists (
    select from staging.{rows} a where a._assessment = %(after)s and a._key = b.key))
from (select distinct _key as key from staging.{rows} where _assessment = %(before)s and _key is not null) b
on conflict (assessment_no, before_no) do nothing
