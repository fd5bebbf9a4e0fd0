-- Views of the schemas that people and apps read: name, id, whether this user may use the schema, and read the view.
select n.nspname || '.' || c.relname, c.oid, has_schema_privilege(n.oid, 'usage'), has_table_privilege(c.oid, 'select')
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v' and n.nspname in ('mart_v1', 'vault')
order by 1
