-- Values of indicators as mart_v1.indicator_value shows them.
select
    h.indicator,
    h.variant,
    h.unit_kind,
    h.unit,
    h.unit_name,
    h.period_kind,
    h.period,
    h.first_day,
    h.as_of,
    case when not h.hidden then h.value end as value,
    case when not h.hidden then h.numerator end as numerator,
    case when not h.hidden then h.denominator end as denominator,
    case when not h.hidden then h.unknown end as unknown,
    h.target,
    h.target_due,
    case when h.hidden then 'HIDDEN' else h.status end as status
from core.pointer p
cross join core.indicator_value h
where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
