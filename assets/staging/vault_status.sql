-- Versions of the key, newest first, and how much hangs on each.
select k.version, k.fingerprint, k.created_at, k.retired_at, coalesce(i.n, 0) as identifiers, coalesce(o.n, 0) as objects
from vault.key k
left join (select key_version, count(*) as n from vault.identifier where value is not null group by 1) i
    on i.key_version = k.version
left join (select key_version, count(*) as n from vault.object_key where wrapped is not null group by 1) o
    on o.key_version = k.version
order by k.version desc
