-- End the values that are no longer so: of periods that were computed again and came out otherwise, or that there are no longer.
update core.indicator_value v
set publish_to = %(publish)s
where v.publish_to is null
  and exists (select from _period p where p.indicator = v.indicator and p.kind = v.period_kind and p.label = v.period)
  and not exists (
      select from _wanted w
      where (w.indicator, w.variant, w.unit_kind, w.unit, w.period_kind, w.period)
          = (v.indicator, v.variant, v.unit_kind, v.unit, v.period_kind, v.period)
        and (w.unit_name, w.first_day, w.as_of, w.value, w.numerator, w.denominator, w.unknown, w.target, w.target_due, w.status, w.hidden)
            is not distinct from
            (v.unit_name, v.first_day, v.as_of, v.value, v.numerator, v.denominator, v.unknown, v.target, v.target_due, v.status, v.hidden)
  )
