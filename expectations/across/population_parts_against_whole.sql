-- Provinces whose stated population is not the sum over their communes, where one source states both as of one day.
select
    w.entity_id,
    w.valid_from,
    w.total <> p.total as failed,
    jsonb_build_object('value', w.total, 'computed', p.total, 'units', p.units) as params
from core.population w
join (
    select source, as_of, split_part(unit_key, '/', 1) as province_key, sum(total) as total, count(*) as units
    from core.population
    where publish_to is null and unit_name is not null and total is not null
    group by 1, 2, 3
) p on p.source = w.source and p.as_of = w.as_of and p.province_key = w.unit_key
where w.publish_to is null and w.unit_name is null and w.total is not null
