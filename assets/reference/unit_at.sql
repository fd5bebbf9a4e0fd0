-- The unit that a code names on a day (domain.md §3: a code without a date is ambiguous); no row where it names none.
create or replace function core.unit_at(code text, on_date date) returns setof core.unit
language sql stable parallel safe rows 1
as $$
    select unit.*
    from core.unit
    where unit.code = $1 and unit.valid_from <= $2 and (unit.valid_to is null or unit.valid_to > $2)
$$;

-- The same for apps, which see mart_v1 only.
create or replace function mart_v1.unit_at(code text, on_date date) returns setof core.unit
language sql stable security definer rows 1 set search_path = ''
as $$ select unit.* from core.unit_at($1, $2) as unit $$;
