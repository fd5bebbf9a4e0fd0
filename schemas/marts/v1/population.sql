-- Population by unit, source and day: the lowest units that a source reports. A province's or district's own figure is left
-- out where the same source gives its communes as of the same day (it is a control there, not one more unit).
select
    h.population_id,
    h.unit_key,
    h.unit_code,
    coalesce(h.unit_name, h.district_name, h.province_name) as unit_name,
    h.district_name,
    h.province_name,
    h.as_of,
    h.source,
    h.total,
    h.urban,
    h.rural,
    h.households,
    h.valid_from,
    h.valid_to,
    h.carried_since
from mart_v1.population_history h
where h.unit_name is not null
   or not exists (
       select from mart_v1.population_history l
       where l.unit_name is not null and l.source = h.source and l.as_of = h.as_of
         and starts_with(l.unit_key, h.unit_key || '/')
   )
