-- The catalogue of indicators, each figure with the province's newest value of which something is known.
select i.indicator, i.variant, i.name_vi, i.measured_in, i.measure, i.formula, i.theme, i.direction, i.source, v.period, v.as_of, v.value,
       v.numerator, v.denominator, v.unknown, v.target, v.target_due, coalesce(v.status, 'NO_DATA') as status
from mart_v1.indicators i
left join lateral (
    select v.*
    from mart_v1.indicator_value v
    where v.indicator = i.indicator and v.variant = i.variant and v.unit_kind = 'PROVINCE'
    order by v.value is null, v.as_of desc, array_position(array['month', 'quarter', 'half', 'year'], v.period_kind)
    limit 1
) v on true
where i.variant not like '%*'
order by i.indicator, i.variant
