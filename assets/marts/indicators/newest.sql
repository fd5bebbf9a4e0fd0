-- A code that is that of units of two kinds is said with the kind (BLOC:MTTQ).
-- The newest value of every figure (of which something is known, where there is such a period), of the province or of the unit of a
-- code; of a family ('*') that of each of its values.
select i.indicator, coalesce(v.variant, i.variant) as variant, i.name_vi, i.name_en, i.measured_in, i.measure, i.formula,
       i.theme, i.direction, i.source, v.unit_kind, v.unit, v.unit_name, v.period_kind, v.period, v.first_day, v.as_of,
       v.value, v.numerator, v.denominator, v.unknown, v.target, v.target_due, coalesce(v.status, 'NO_DATA') as status
from mart_v1.indicators i
left join lateral (
    select distinct on (v.variant) v.*
    from mart_v1.indicator_value v
    where v.indicator = i.indicator
      and (v.variant = i.variant or (i.variant like '%%*' and v.variant <> '' and not exists (
          select from mart_v1.indicators o where o.indicator = i.indicator and o.variant = v.variant)))
      and case when %(unit)s::text is null then v.unit_kind = 'PROVINCE' else %(unit)s in (v.unit, v.unit_kind || ':' || v.unit) end
      and (%(period)s::text is null or v.period = %(period)s)
    order by v.variant, v.status = 'NO_DATA', v.as_of desc, array_position(array['month', 'quarter', 'half', 'year'], v.period_kind),
             array_position(array['PROVINCE', 'COMMUNE', 'ORGANIZATION', 'BLOC', 'FIELD'], v.unit_kind)
) v on true
where (%(code)s::text is null or i.indicator = %(code)s)
  and (v.indicator is not null or (i.variant = '' and %(unit)s::text is null))
order by 1, i.variant like '%%*', 2
