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
           case when m.measure = 'most' then max(f.most) when m.measure = 'count' then sum(f.total) else sum(f.paired) end as numerator,
           case when m.measure = 'pace' then max(f.top) when m.measure not in ('most', 'count') then sum(f.whole) end as denominator,
           sum(f.unknown) + sum(case when m.measure in ('most', 'count') then f.without else f.unpaired end) as unknown
    from (
        -- facts about persons are many, those of one body and commune alike in all that follows
        select period_no, organization, commune, bloc, field, variant,
               max(numerator) as most, sum(numerator) as total, sum(numerator) filter (where denominator is not null) as paired,
               max(denominator) as top, sum(denominator) filter (where numerator is not null) as whole,
               coalesce(sum(unknown), 0) as unknown, count(*) filter (where numerator is null) as without,
               count(*) filter (where numerator is null or denominator is null) as unpaired
        from ({facts}) f
        where unknown is not null
        group by 1, 2, 3, 4, 5, 6
    ) f
    cross join lateral (values {units}) u (unit_kind, unit)
    join lateral (
        select v.measure from (values {variants}) v (variant, measure)
        where v.variant = f.variant or (v.variant like '%%*' and f.variant <> '')
        order by v.variant = f.variant desc
        limit 1
    ) m on true
    where u.unit is not null
    group by 1, 2, 3, 4, 5, 6
) s
