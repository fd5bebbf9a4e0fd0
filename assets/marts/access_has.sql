-- What the logins that were ever granted anything have of ours: (login, role), and (login, privilege) given to them by name.
with managed as (
    select r.oid, r.rolname as login
    from pg_roles r
    where r.rolname in (select login from ops.access)
)
select m.login, g.rolname::text
from managed m
join pg_auth_members a on a.member = m.oid
join pg_roles g on g.oid = a.roleid
where g.rolname = any (%(roles)s)
union
select m.login, lower(x.privilege_type) || ' on ' || n.nspname || '.' || c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('intake', 'staging', 'vault', 'core', 'mart_v1', 'ops')
cross join aclexplode(c.relacl) x
join managed m on m.oid = x.grantee
union
select m.login, lower(x.privilege_type) || ' on schema ' || n.nspname
from pg_namespace n
cross join aclexplode(n.nspacl) x
join managed m on m.oid = x.grantee
where n.nspname in ('intake', 'staging', 'vault', 'core', 'mart_v1', 'ops')
union
select m.login, 'execute on function ' || n.nspname || '.' || p.proname || '('
       || (select coalesce(string_agg(s.nspname || '.' || t.typname, ',' order by i), '')
           from unnest(p.proargtypes) with ordinality a (t, i)
           join pg_type t on t.oid = a.t
           join pg_namespace s on s.oid = t.typnamespace) || ')'
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace and n.nspname in ('intake', 'staging', 'vault', 'core', 'mart_v1', 'ops')
cross join aclexplode(p.proacl) x
join managed m on m.oid = x.grantee
