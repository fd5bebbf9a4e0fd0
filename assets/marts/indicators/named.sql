-- Values with the names of their units on the day, their targets and what these make of them. The most specific target counts:
-- that of the unit before that of all, then the youngest.
create temporary table _wanted on commit drop as
select v.indicator, v.variant, v.unit_kind, v.unit,
       case v.unit_kind
           when 'PROVINCE' then (select u.name from core.unit u where u.level = 'province' and u.code = v.unit
                                 and u.valid_from <= p.day and (u.valid_to is null or u.valid_to > p.day))
           when 'COMMUNE' then (select u.name from core.unit u where u.level = 'commune' and u.code = v.unit
                                and u.valid_from <= p.day and (u.valid_to is null or u.valid_to > p.day))
           when 'ORGANIZATION' then coalesce(
               (select o.organization_name from {organizations} o where o.organization_code = v.unit
                and o.valid_from <= p.day and (o.valid_to is null or o.valid_to > p.day) limit 1),
               (select s.name from core.sender s where s.code = v.unit))
           else (select l.label from _label l where l.kind = v.unit_kind and l.code = v.unit)
       end as unit_name,
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
left join lateral (
    select g.value, g.direction, g.due_on
    from {targets} g
    where g.indicator_code = v.indicator || case when v.variant = '' then '' else '/' || v.variant end
      and coalesce(g.bloc_or_unit, '') in ('', v.unit)
      and g.valid_from <= p.day and (g.valid_to is null or g.valid_to > p.day)
    order by coalesce(g.bloc_or_unit, '') = '', g.valid_from desc
    limit 1
) t on true
