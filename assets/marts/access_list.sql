-- Grants with their state, and memberships in our roles that follow from none.
select a.access_id, a.login, a.role, a.dataset, a.unit, a.purpose, a.legal_ground, a.valid_until, a.granted_by, a.granted_at,
       a.revoked_at, a.revoked_by, a.revoke_reason,
       case when a.revoked_at is not null then 'revoked' when a.valid_until <= %(now)s then 'expired' else 'valid' end as state
from ops.access a
where (%(login)s::text is null or a.login = %(login)s)
  and (%(everything)s or (a.revoked_at is null and a.valid_until > %(now)s))
union all
select null, m.rolname, substr(g.rolname, 11), null, null, null, null, null, null, null, null, null, null, 'unmanaged'
from pg_auth_members x
join pg_roles m on m.oid = x.member
join pg_roles g on g.oid = x.roleid
where g.rolname = any (%(roles)s)
  and m.rolcanlogin and m.rolname not in (select login from ops.access) and not pg_has_role(m.oid, current_user, 'member')
  and (%(login)s::text is null or m.rolname = %(login)s)
order by login, access_id nulls last, role
