-- Where one cell alone is hidden beside others under one total, the smallest of the others is hidden too: else it could be
-- found by subtraction. Run until it hides no more.
with counted as (
    select ctid, hidden, count(*) filter (where hidden) over w as gone,
           row_number() over (partition by variant, unit_kind, period_kind, period, hidden order by denominator, unit) as smallest
    from _wanted
    where indicator = %(code)s and unit_kind <> 'PROVINCE' and coalesce(denominator, numerator) > 0
    window w as (partition by variant, unit_kind, period_kind, period)
)
update _wanted w
set hidden = true
from counted c
where c.ctid = w.ctid and c.gone = 1 and not c.hidden and c.smallest = 1
