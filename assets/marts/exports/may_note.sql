-- Whether this user may write into the audit log, and its name.
select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert'), session_user
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'ops' and c.relname = 'audit'
