-- Readings of the vault with tickets: by login how many were counted, how many are in the log, and between which lines others are
-- missed. A sequence counts on where a transaction is rolled back.
with readers as (
    select r.login, coalesce(s.last_value, 0) as counted
    from vault.reader r
    left join pg_catalog.pg_sequences s on s.schemaname = 'vault' and s.sequencename = '_reader_' || r.reader_no
),
lines as (
    select r.login, (a.details ->> 'reading')::bigint as number, a.at
    from readers r
    join ops.audit a on a.who = r.login and a.action = 'read vault'
    union all
    select login, counted + 1, null from readers
),
gaps as (
    select login, number - lag(number, 1, 0::bigint) over w - 1 as missed, lag(at) over w as after, at as before
    from lines
    window w as (partition by login order by number)
)
select r.login, r.counted as readings, (select count(*) from lines l where l.login = r.login and l.at is not null) as logged,
       coalesce(jsonb_agg(jsonb_build_object('missed', g.missed, 'after', g.after, 'before', g.before) order by g.before nulls last)
                filter (where g.missed > 0), '[]') as gaps
from readers r
left join gaps g using (login)
where r.counted > 0
group by r.login, r.counted
order by r.login
