-- Of some numbers those that rows of others have too. Parameters %(numbers)s, and the rows of the person: %(assessments)s, %(sheets)s,
-- %(rows)s, arrays of one length. all = every vault column of the dataset as an array.
select distinct n.number
from staging.{name} o
cross join lateral unnest({all}) as n (number)
where n.number = any (%(numbers)s::bigint[])
  and not exists (
      select from unnest(%(assessments)s::bigint[], %(sheets)s::smallint[], %(rows)s::integer[]) as m (a, s, r)
      where m.a = o._assessment and m.s = o._sheet and m.r = o._row
  )
