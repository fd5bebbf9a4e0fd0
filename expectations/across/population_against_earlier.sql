-- Populations of communes that are implausibly low: less than min_ratio times the figure of the last count before the reform,
-- carried over two changes of the map: the record of changes up to the reform (unit_comparisons), then its crosswalk. What was
-- divided among several units is shared out evenly: an estimate, good enough for a bound of plausibility.
with reform as (
    select min(effective_date) as day from core.unit_change
),
counted as (
    select unit_key, split_part(unit_key, '/', 1) as province_key, as_of, source, total
    from core.population, reform
    where publish_to is null and unit_name is not null and total is not null and as_of < reform.day
),
last_count as (
    select distinct on (province_key) province_key, as_of, source
    from counted
    order by province_key, as_of desc, source
),
earlier as (
    select c.unit_key, c.total from counted c join last_count using (province_key, as_of, source)
),
-- a count names units as they were then: before a recorded change, or after it
compared as (
    select distinct old_key as unit_key, new_code from core.unit_comparisons where publish_to is null and new_code is not null
    union
    select new_key, new_code from core.unit_comparisons c
    where publish_to is null and new_code is not null
      and not exists (select from core.unit_comparisons o where o.publish_to is null and o.old_key = c.new_key)
),
before_reform as (
    select c.new_code as code, sum(e.total::numeric / n.units) as total
    from earlier e
    join compared c using (unit_key)
    join (select unit_key, count(*) as units from compared group by unit_key) n using (unit_key)
    group by c.new_code
),
since_reform as (
    select x.new_code as code, x.effective_date, sum(b.total / n.units) as total
    from before_reform b
    join core.unit_change x on x.old_code = b.code
    join (select old_code, effective_date, count(*) as units from core.unit_change group by 1, 2) n
        on n.old_code = x.old_code and n.effective_date = x.effective_date
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
