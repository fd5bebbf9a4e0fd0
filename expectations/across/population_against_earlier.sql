-- Populations of communes that are implausibly low: less than min_ratio times the figure of an earlier count, carried over
-- two changes of the map: the record of changes up to the reform (unit_comparisons), then the crosswalk of the reform.
-- What was divided among several units is shared out evenly: an estimate, good enough for a bound of plausibility.
with earlier as (
    select unit_key, total
    from core.population
    where publish_to is null and source = %(earlier_source)s and as_of = %(earlier_as_of)s::date
      and unit_name is not null and total is not null
),
compared as (
    select distinct old_key, new_code from core.unit_comparisons where publish_to is null and new_code is not null
),
before_reform as (
    select c.new_code as code, sum(e.total::numeric / n.units) as total
    from earlier e
    join compared c on c.old_key = e.unit_key
    join (select old_key, count(*) as units from compared group by old_key) n on n.old_key = e.unit_key
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
