-- The unit that a code names on a day (domain.md §3: a code without a date is ambiguous); no row where it names none.
create or replace function core.unit_at(code text, on_date date) returns setof core.unit
language sql stable parallel safe rows 1
as $$
    select unit.*
    from core.unit
    where unit.code = $1 and unit.valid_from <= $2 and (unit.valid_to is null or unit.valid_to > $2)
$$;
