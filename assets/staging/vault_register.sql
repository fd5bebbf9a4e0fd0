-- Register identifiers that are new; (value, subject) of each. Parameters: %(kind)s, %(values)s, %(lookups)s, %(subjects)s
-- (three arrays of one length, values distinct), %(version)s.
with wanted as (
    select * from unnest(%(values)s::text[], %(lookups)s::bytea[], %(subjects)s::bigint[]) as w (value, lookup, subject)
),
fresh as (
    insert into vault.identifier (subject, kind, lookup, key_version, value)
    select w.subject, %(kind)s, w.lookup, %(version)s, w.value
    from wanted w
    where not exists (select from vault.identifier i where i.kind = %(kind)s and i.lookup = w.lookup)
    on conflict (kind, lookup) do update set kind = excluded.kind
    returning lookup, subject
)
select w.value, coalesce(f.subject, i.subject)
from wanted w
left join fresh f using (lookup)
left join vault.identifier i on i.kind = %(kind)s and i.lookup = w.lookup
