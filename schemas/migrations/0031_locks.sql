-- Readers hold nobody up and write nothing: as PostgreSQL comes, any login may take an advisory lock, and so the one that who publishes
-- holds, and may make large objects. Only the server's administrators may change that: done here where the database is theirs, else
-- lienthong doctor says what they must run.
do $$
declare
    a_function regprocedure;
begin
    if (select bool_and(rolsuper) from pg_roles r, pg_database d
        where d.datname = current_database() and (r.oid = d.datdba or r.rolname = current_user)) then
        for a_function in
            select p.oid::regprocedure from pg_proc p
            where p.pronamespace = 'pg_catalog'::regnamespace
              and p.proname ~ '^(pg_(try_)?advisory_.*|lo_creat|lo_create|lo_from_bytea|lo_import)$' loop
            execute 'revoke execute on function ' || a_function || ' from public';
        end loop;
    end if;
end
$$;
