-- Values with the names of their units on the day, their targets and what these make of them. The most specific target counts:
-- that of the unit before that of all (but for kinds of units that it is not meant for), then the youngest.
create temporary table _wanted on commit drop as
with told as (
    select distinct v.unit_kind, v.unit, p.day from _value v join _period p on p.no = v.period_no
),
named as (
    select distinct on (t.unit_kind, t.unit, t.day) t.unit_kind, t.unit, t.day,
           coalesce(o.organization_name, u.name, s.name, l.label) as name
    from told t
    left join {organizations} o on t.unit_kind = 'ORGANIZATION' and o.organization_code = t.unit
        and o.valid_from <= t.day and (o.valid_to is null or o.valid_to > t.day)
    left join core.sender s on t.unit_kind = 'ORGANIZATION' and s.code = t.unit
    left join core.unit u on u.level = lower(t.unit_kind) and u.code = t.unit
        and u.valid_from <= t.day and (u.valid_to is null or u.valid_to > t.day)
    left join _label l on l.kind = t.unit_kind and l.code = t.unit
    order by t.unit_kind, t.unit, t.day, o.valid_from desc
)
select v.indicator, v.variant, v.unit_kind, v.unit, n.name as unit_name,
       p.kind as period_kind, p.label as period, p.first_day, p.day as as_of, v.value, v.numerator, v.denominator, v.unknown,
       trim_scale(t.value) as target, t.due_on as target_due,
       case when v.value is null then 'NO_DATA'
            when t.value is null then 'NO_TARGET'
            when case t.direction when 'AT_LEAST' then v.value >= t.value else v.value <= t.value end then 'MET'
            when t.due_on > p.day then 'NOT_YET'
            else 'NOT_MET' end as status,
       false as hidden
from _value v
join _period p on p.no = v.period_no
join named n on n.unit_kind = v.unit_kind and n.unit = v.unit and n.day = p.day
left join lateral (
    select g.value, g.direction, g.due_on
    from {targets} g
    where g.indicator_code = v.indicator || case when v.variant = '' then '' else '/' || v.variant end
      and (g.bloc_or_unit = v.unit or (coalesce(g.bloc_or_unit, '') = '' and (v.indicator, v.unit_kind) not in ({not_for})))
      and g.valid_from <= p.day and (g.valid_to is null or g.valid_to > p.day)
    order by coalesce(g.bloc_or_unit, '') = '', g.valid_from desc
    limit 1
) t on true
