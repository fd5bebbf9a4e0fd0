-- Populations of communes that are implausibly low: less than min_ratio times the figure of the last count before the reform,
-- carried over two changes of the map: the record of changes up to the reform (unit_comparisons), then its crosswalk. What was
-- divided among several units is shared out evenly: an estimate, good enough for a bound of plausibility.
with earlier as (
    select unit_key, total
    from (
        select
            unit_key, total,
            dense_rank() over (partition by split_part(unit_key, '/', 1) order by as_of desc, source) as nth
        from core.population
        where publish_to is null and unit_name is not null and total is not null
          and as_of < (select min(effective_date) from core.unit_change)
    ) counted
    where nth = 1
),
-- a count names units as they were then: before a recorded change, or after it
compared as (
    select unit_key, new_code, count(*) over (partition by unit_key) as units
    from (
        select old_key as unit_key, new_code from core.unit_comparisons where publish_to is null and new_code is not null
        union
        select new_key, new_code from core.unit_comparisons c
        where publish_to is null and new_code is not null
          and not exists (select from core.unit_comparisons o where o.publish_to is null and o.old_key = c.new_key)
    ) pairs
),
before_reform as (
    select c.new_code as code, sum(e.total::numeric / c.units) as total
    from earlier e
    join compared c using (unit_key)
    group by c.new_code
),
crosswalk as (
    select old_code, new_code, effective_date, count(*) over (partition by old_code, effective_date) as units
    from core.unit_change
),
since_reform as (
    select x.new_code as code, x.effective_date, sum(b.total / x.units) as total
    from before_reform b
    join crosswalk x on x.old_code = b.code
    group by x.new_code, x.effective_date
)
select
    p.entity_id,
    p.valid_from,
    p.total < %(min_ratio)s * s.total as failed,
    jsonb_build_object('value', p.total, 'earlier', round(s.total), 'ratio', round(p.total / s.total, 3)) as params
from core.population p
join since_reform s on s.code = p.unit_code and p.as_of >= s.effective_date
where p.publish_to is null and p.total is not null and s.total > 0
