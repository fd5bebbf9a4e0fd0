-- New alerts, and those that still hold.
insert into ops.alert as a (kind, about, params, first_at, last_at)
select n.kind, n.about, n.params, %(now)s, %(now)s
from _alert n
where not (n.kind = any (%(moments)s) and exists (select from ops.alert o where o.kind = n.kind and o.about = n.about))
on conflict (kind, about) where ended_at is null do update set last_at = excluded.last_at, params = excluded.params
