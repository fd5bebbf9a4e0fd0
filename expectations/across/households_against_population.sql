-- Communes whose villages have, taken together, other households than the count of the commune, by more than the tolerance. The
-- finding is about the first of the villages; the youngest count of each source that falls on a day of the list counts.
with counted as (
    select unit_code, source, as_of, households, row_number() over (partition by unit_code, source order by as_of desc) as nth
    from core.population
    where publish_to is null and households > 0 and unit_code is not null
),
listed as (
    select
        c.unit_code, c.source, c.as_of, c.households, sum(v.households) as computed,
        (array_agg(v.entity_id order by v.entity_id))[1] as entity_id,
        (array_agg(v.valid_from order by v.entity_id))[1] as valid_from
    from counted c
    join core.villages v on v.commune_code = c.unit_code and v.publish_to is null
        and v.valid_from <= c.as_of and coalesce(v.valid_to, 'infinity') > c.as_of
    where c.nth = 1
    group by c.unit_code, c.source, c.as_of, c.households
)
select
    entity_id,
    valid_from,
    bool_or(abs(computed - households) > %(tolerance)s * households) as failed,
    jsonb_build_object(
        'computed', max(computed),
        'counts', string_agg(
            source || ' (' || to_char(as_of, 'DD/MM/YYYY') || '): ' || households, '; ' order by source
        ) filter (where abs(computed - households) > %(tolerance)s * households)
    ) as params
from listed
group by entity_id, valid_from
