-- The newest value of each unit below the province.
select distinct on (v.indicator, v.variant, v.unit_kind, v.unit)
       v.indicator, v.variant, v.unit_kind, v.unit, v.unit_name, v.period, v.as_of, v.value, v.numerator, v.denominator, v.unknown,
       v.target, v.status
from mart_v1.indicator_value v
where v.unit_kind <> 'PROVINCE'
order by v.indicator, v.variant, v.unit_kind, v.unit, v.as_of desc,
         array_position(array['month', 'quarter', 'half', 'year'], v.period_kind)
