-- Begin the values that are new. What is computed again and comes out the same is not written.
insert into core.indicator_value (
    indicator, variant, unit_kind, unit, unit_name, period_kind, period, first_day, as_of, value, numerator, denominator, unknown,
    target, target_due, status, hidden, publish_from
)
select w.indicator, w.variant, w.unit_kind, w.unit, w.unit_name, w.period_kind, w.period, w.first_day, w.as_of, w.value, w.numerator,
       w.denominator, w.unknown, w.target, w.target_due, w.status, w.hidden, %(publish)s
from _wanted w
where not exists (
    select from core.indicator_value v
    where v.publish_to is null
      and (w.indicator, w.variant, w.unit_kind, w.unit, w.period_kind, w.period)
          = (v.indicator, v.variant, v.unit_kind, v.unit, v.period_kind, v.period)
)
