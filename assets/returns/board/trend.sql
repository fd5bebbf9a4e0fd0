-- The province's values of the shortest kind of period that each figure has, oldest first.
with kind as (
    select indicator, variant, min(array_position(array['month', 'quarter', 'half', 'year'], period_kind)) as place
    from mart_v1.indicator_value
    where unit_kind = 'PROVINCE'
    group by 1, 2
)
select v.indicator, v.variant, v.period, v.as_of, v.value, v.numerator, v.denominator, v.unknown, v.target, v.status
from mart_v1.indicator_value v
join kind k using (indicator, variant)
where v.unit_kind = 'PROVINCE' and array_position(array['month', 'quarter', 'half', 'year'], v.period_kind) = k.place
order by v.indicator, v.variant, v.as_of
