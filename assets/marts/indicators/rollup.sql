-- Facts to sums by unit, and sums to values: what adds up does so here and nowhere else, so that no ratio is ever averaged.
-- A fact without a numerator or denominator counts for neither and is unknown; one whose unknown is null only shows where
-- another comes from. excess and pace are of sums too; the
-- denominator of a pace is the same in all rows.
insert into _value (indicator, variant, unit_kind, unit, period_no, measure, numerator, denominator, unknown, value)
select s.indicator, s.variant, s.unit_kind, s.unit, s.period_no, s.measure, trim_scale(s.numerator), trim_scale(s.denominator), s.unknown,
       case s.measure
           when 'share' then round(100 * s.numerator / nullif(s.denominator, 0), 2)
           when 'ratio' then round(s.numerator / nullif(s.denominator, 0), 2)
           when 'excess' then case when s.denominator > 0 then trim_scale(greatest(0, s.numerator - s.denominator)) end
           when 'pace' then ceil(s.numerator / nullif(s.denominator, 0))
           else trim_scale(s.numerator)
       end
from (
    select %(code)s as indicator, f.variant, u.unit_kind, u.unit, f.period_no, m.measure,
           case when m.measure = 'most' then max(f.numerator)
                when m.measure = 'count' then sum(f.numerator)
                else sum(f.numerator) filter (where f.denominator is not null) end as numerator,
           case when m.measure = 'pace' then max(f.denominator)
                when m.measure not in ('most', 'count') then sum(f.denominator) filter (where f.numerator is not null) end as denominator,
           coalesce(sum(f.unknown), 0)
               + count(*) filter (where f.numerator is null or (f.denominator is null and m.measure not in ('most', 'count'))) as unknown
    from ({facts}) f
    cross join lateral (values {units}) u (unit_kind, unit)
    join lateral (
        select v.measure from (values {variants}) v (variant, measure)
        where v.variant = f.variant or (v.variant like '%%*' and f.variant <> '')
        order by v.variant = f.variant desc
        limit 1
    ) m on true
    where u.unit is not null and f.unknown is not null
    group by 1, 2, 3, 4, 5, 6
) s
