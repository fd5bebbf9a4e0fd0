-- Complete lists that came (%(came)s) as the newest of their sender and of all, each with the one before it, where that is in force
-- as it was (%(spoken)s: submissions whose word changed): of what both say alike nothing can differ, unless others speak of it too.
select f.assessment_no, b.assessment_no
from _force f
cross join lateral (
    select p.submission_no, p.assessment_no
    from _force p
    where p.sender = f.sender and p.as_of < f.as_of
    order by p.as_of desc, p.seq desc
    limit 1
) b
where f.submission_no = any (%(came)s) and b.submission_no <> all (%(spoken)s)
  and f.as_of = (select max(as_of) from _force)
  and not exists (
      select from _force o where o.sender = f.sender and o.as_of = f.as_of and o.submission_no <> f.submission_no
  )
