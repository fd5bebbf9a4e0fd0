-- of: population, unit_comparisons, unit_shares
-- Population of the units of today through time: what was counted since a reform of the map as it was sent, what was counted before
-- it carried over the record of changes up to the reform (unit_comparisons) and its crosswalk. An old unit that was divided is
-- never divided in silence: such a figure is an estimate, by the shares that were sent for the unit (unit_shares, all of its
-- successors and 100 % in all), else by equal shares; beside it stands what is certain and what is the most that it can be. Where
-- an old unit has no figure, there is none for what became of it, and the unit is named.
with counted as (
    select h.unit_key, h.unit_code, h.as_of, h.source, h.total
    from core.population h
    cross join core.pointer p
    where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
      and h.unit_name is not null and h.total is not null
),
changes as (
    select old_code, new_code, effective_date, kind,
        count(*) over (partition by old_code, effective_date) as successors
    from core.unit_change
),
reform as (
    select min(effective_date) as day from changes
),
declared as (
    select h.old_code, h.new_code, h.effective_date, h.share / 100 as share,
        sum(h.share) over (partition by h.old_code, h.effective_date) as whole,
        count(*) over (partition by h.old_code, h.effective_date) as shares
    from core.unit_shares h
    cross join core.pointer p
    join changes c using (old_code, new_code, effective_date)
    where h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows)
),
portions as (
    select c.old_code, c.new_code, c.effective_date, c.successors > 1 as divided,
        case when d.share is null then 1::numeric / c.successors else d.share end as share,
        d.share is not null as is_declared
    from changes c
    left join declared d
        on d.old_code = c.old_code and d.new_code = c.new_code and d.effective_date = c.effective_date
        and d.shares = c.successors and abs(d.whole - 100) <= 0.01
),
-- a count names units as they were then: before a recorded change, or after it
named as (
    select unit_key, new_code, count(*) over (partition by unit_key) as units
    from (
        select c.old_key as unit_key, c.new_code
        from core.unit_comparisons c
        cross join core.pointer p
        where c.publish_from <= p.shows and (c.publish_to is null or c.publish_to > p.shows) and c.new_code is not null
        union
        select c.new_key, c.new_code
        from core.unit_comparisons c
        cross join core.pointer p
        where c.publish_from <= p.shows and (c.publish_to is null or c.publish_to > p.shows) and c.new_code is not null
          and not exists (
              select from core.unit_comparisons o
              where o.publish_from <= p.shows and (o.publish_to is null or o.publish_to > p.shows) and o.old_key = c.new_key
          )
    ) pairs
),
-- by a unit as it was on the day before the reform: what is certainly its own, what it may have, and our figure
before_reform as (
    select coalesce(n.new_code, k.unit_code) as code, k.as_of, k.source,
        sum(k.total / coalesce(n.units, 1)::numeric) as total,
        coalesce(sum(k.total) filter (where coalesce(n.units, 1) = 1), 0) as certain,
        sum(k.total) as most,
        bool_or(n.units > 1) as is_estimate
    from counted k
    cross join reform r
    left join named n using (unit_key)
    where k.as_of < r.day and coalesce(n.new_code, k.unit_code) is not null
    group by 1, 2, 3
),
-- all that a unit of today is made of, for each count that has any of it
expected as (
    select distinct x.new_code, x.effective_date, b.as_of, b.source
    from before_reform b
    join portions x on x.old_code = b.code
),
carried as (
    select e.new_code, e.as_of, e.source, e.effective_date,
        round(sum(b.total * x.share)) as total,
        coalesce(sum(b.certain) filter (where not x.divided), 0) as certain,
        sum(b.most) as most,
        bool_or(b.is_estimate or x.divided) as is_estimate,
        bool_and(x.is_declared) filter (where x.divided) as is_declared,
        array_agg(x.old_code order by x.old_code) filter (where x.divided) as divided_units,
        array_agg(x.old_code order by x.old_code) filter (where b.code is null) as missing_units
    from expected e
    join portions x on x.new_code = e.new_code and x.effective_date = e.effective_date
    left join before_reform b on b.code = x.old_code and b.as_of = e.as_of and b.source = e.source
    group by e.new_code, e.as_of, e.source, e.effective_date
)
select
    c.new_code as commune_code,
    u.name as commune_name,
    c.as_of,
    c.source,
    case when c.missing_units is null then c.total::bigint end as total,
    case when c.missing_units is null then c.certain::bigint end as certain,
    case when c.missing_units is null then c.most::bigint end as most,
    c.is_estimate,
    case
        when not c.is_estimate then 'WHOLE_UNITS'
        when c.is_declared then 'DECLARED_SHARES'
        else 'EQUAL_SHARES'
    end as method,
    coalesce(c.divided_units, '{}') as divided_units,
    coalesce(c.missing_units, '{}') as missing_units
from carried c
join core.unit u
    on u.code = c.new_code and u.level = 'commune' and u.valid_from <= c.effective_date and (u.valid_to is null or u.valid_to > c.effective_date)
union all
select k.unit_code, u.name, k.as_of, k.source, k.total, k.total, k.total, false, 'AS_COUNTED', '{}', '{}'
from counted k
cross join reform r
join core.unit u
    on u.code = k.unit_code and u.level = 'commune' and u.valid_from <= k.as_of and (u.valid_to is null or u.valid_to > k.as_of)
where k.as_of >= r.day
