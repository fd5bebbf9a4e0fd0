-- Where one cell alone is hidden beside others under one total (organisations under their bloc, else under the province), the
-- smallest of the others is hidden too: else it could be found by subtraction. Run until it hides no more.
with placed as (
    select w.ctid as place, w.variant, w.unit_kind, w.unit, w.period_kind, w.period, w.hidden, coalesce(w.denominator, w.numerator) as size,
           case when w.unit_kind = 'ORGANIZATION' then (
               select o.bloc from {organizations} o
               where o.organization_code = w.unit and o.valid_from <= w.as_of and (o.valid_to is null or o.valid_to > w.as_of)
           ) end as parent
    from _wanted w
    where w.indicator = %(code)s and w.unit_kind <> 'PROVINCE'
),
counted as (
    select place, hidden, count(*) filter (where hidden) over w as gone,
           row_number() over (partition by variant, unit_kind, period_kind, period, parent, hidden order by size, unit) as smallest
    from placed
    where size > 0
    window w as (partition by variant, unit_kind, period_kind, period, parent)
)
update _wanted w
set hidden = true
from counted c
where c.place = w.ctid and c.gone = 1 and not c.hidden and c.smallest = 1
