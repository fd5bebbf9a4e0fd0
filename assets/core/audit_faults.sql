-- What was done to the audit log: (code, number of the link, row), the oldest first.
with linked as (
    select l.number, l.audit_id, l.link, lag(l.link, 1, sha256('Liên Thông'::bytea)) over w as before,
           lag(l.number, 1, 0::bigint) over w as previous
    from ops.audit_link l
    window w as (order by l.number)
),
judged as (
    select l.number, l.audit_id, l.previous,
           a.audit_id is not null and l.link = sha256(l.before || ops.audit_text(l.number, a)) as whole
    from linked l
    left join ops.audit a using (audit_id)
),
decisions as (
    select d.source || ' ' || d.number as name, d.number as row, d.action, d.who,
           jsonb_strip_nulls(d.details || jsonb_build_object('reason_sha256', d.reason_sha256)) as details
    from ops.decided d
),
told as (
    select a.reason as name, a.action, a.who, a.details
    from ops.audit a
    where a.details ? 'reason_sha256'
)
select code, number, row
from (
    select 'GAP' as code, previous + 1 as number, null::bigint as row from judged where number <> previous + 1
    union all
    select 'CHANGED', number, audit_id from judged where not whole and number = previous + 1
    union all
    select 'UNLINKED', null, a.audit_id from ops.audit a where not exists (select from ops.audit_link l where l.audit_id = a.audit_id)
    union all
    select 'HEAD', h.number, null
    from ops.audit_head h
    left join (select number, link from ops.audit_link order by number desc limit 1) l on true
    where (h.number, h.link) is distinct from (coalesce(l.number, 0), coalesce(l.link, sha256('Liên Thông'::bytea)))
    union all
    select 'DECISION', null, d.row
    from decisions d
    left join told t using (name)
    where (t.action, t.who, t.details) is distinct from (d.action, d.who, d.details)
    union all
    select 'LOST', null, split_part(t.name, ' ', 2)::bigint from told t where not exists (select from decisions d where d.name = t.name)
) faults
order by number nulls last, code, row
limit %(limit)s
