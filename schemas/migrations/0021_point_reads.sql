-- What apps ask for: the figures of a unit in a period, and what begins on a day. Tables of datasets made from now on have theirs from
-- schemas.tables.
create index indicator_value_unit on core.indicator_value (unit, period, unit_kind);
do $$
declare
    of_dataset text;
begin
    for of_dataset in select dataset from ops.contract loop
        -- a table without indexes is filled first: they are built afterwards
        if to_regclass('core.' || quote_ident(of_dataset || '_core_entity')) is not null then
            execute 'create index if not exists ' || quote_ident(of_dataset || '_core_from')
                || ' on core.' || quote_ident(of_dataset) || ' (valid_from)';
        end if;
    end loop;
end
$$;

-- One row, which nobody counts: without this the planner takes it for two thousand.
analyze core.pointer;
