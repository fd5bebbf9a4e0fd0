-- Whether this user may read and write what releases of the open-data set told.
select bool_and(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert'))
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'ops' and c.relname in ('open_release', 'open_cell', 'open_sum')
