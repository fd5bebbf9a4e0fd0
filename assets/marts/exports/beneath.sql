-- Views beneath a view, itself last: schema, name and definition with every name in full (the search path must be empty). The
-- deepest stand first, so that each can be made of those before it.
with recursive beneath (oid, depth) as (
    select %(view)s::oid, 0
    union
    select c.oid, b.depth + 1
    from beneath b
    join pg_catalog.pg_rewrite r on r.ev_class = b.oid
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
    join pg_catalog.pg_class c on c.oid = d.refobjid and c.relkind = 'v' and c.oid <> b.oid
)
select n.nspname, c.relname, pg_catalog.pg_get_viewdef(c.oid)
from (select oid, max(depth) as depth from beneath group by oid) b
join pg_catalog.pg_class c using (oid)
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by b.depth desc, c.oid
