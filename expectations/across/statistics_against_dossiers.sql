-- Statistics that are not what the dossiers of the same office, procedure and period add up to. Judged where the office has sent
-- dossiers received in the period; its stock only where it has sent such of the period before too, because what was open was
-- sent when it was new. Each dossier counts as it is known last. Of dossiers closed before the period before the first that is judged
-- nothing happens since, and they are in no stock.
with period as (
    select m.day::date as valid_from, (m.day + interval '1 month')::date as valid_to
    from (select min(valid_from) as first, max(valid_to) as last from core.service_statistics where publish_to is null) s
    cross join generate_series(greatest(s.first, {since} - interval '1 month'), s.last - 1, interval '1 month') m (day)
),
said as (
    select s.*
    from core.service_statistics s
    where s.publish_to is null and {since: s}
),
on_day as (
    select d.day::date as day, p.valid_from, p.valid_to
    from period p, generate_series(p.valid_from, p.valid_to - 1, interval '1 day') d (day)
),
dossier as not materialized (
    select
        organization_code, procedure_code, service_level, received_on, due_on, finished_on, channel,
        coalesce(digitised, false) as digitised, coalesce(result_digital, false) as result_digital,
        case when finished_on is null then withdrawn_on end as withdrawn_on, coalesce(finished_on, withdrawn_on) as closed_on
    from core.dossiers
    where publish_to is null and valid_to is null and organization_code is not null
      and (coalesce(finished_on, withdrawn_on) is null
           or greatest(finished_on, withdrawn_on, received_on, due_on + 1) >= {since} - interval '1 month')
),
-- what happens to a dossier on which day: it comes, goes, falls overdue, goes when overdue
event as (
    select organization_code, procedure_code, received_on as day, 'received' as kind, channel, digitised as digital, service_level,
           0 as late, count(*) as n
    from dossier
    group by 1, 2, 3, 5, 6, 7
    union all
    select organization_code, procedure_code, finished_on, 'finished', null, result_digital, null,
           sign(finished_on - due_on)::integer, count(*)
    from dossier
    where finished_on is not null
    group by 1, 2, 3, 6, 8
    union all
    select organization_code, procedure_code, withdrawn_on, 'withdrawn', null, null, null, 0, count(*)
    from dossier
    where withdrawn_on is not null
    group by 1, 2, 3
    union all
    select organization_code, procedure_code, due_on + 1, 'overdue', null, null, null, 1, count(*)
    from dossier
    where closed_on is null or closed_on > due_on
    group by 1, 2, 3
    union all
    select organization_code, procedure_code, closed_on, 'overdue', null, null, null, -1, count(*)
    from dossier
    where closed_on > due_on
    group by 1, 2, 3
),
flow as (
    select
        e.organization_code, e.procedure_code, p.valid_from, p.valid_to,
        coalesce(sum(e.n) filter (where e.kind = 'received' and e.channel = 'TRUC_TUYEN'), 0) as received_online,
        coalesce(sum(e.n) filter (where e.kind = 'received' and e.channel = 'TRUC_TIEP'), 0) as received_in_person,
        coalesce(sum(e.n) filter (where e.kind = 'received' and e.channel = 'BUU_CHINH'), 0) as received_by_post,
        coalesce(sum(e.n) filter (where e.kind = 'withdrawn'), 0) as withdrawn,
        coalesce(sum(e.n) filter (where e.kind = 'finished' and e.late < 0), 0) as resolved_early,
        coalesce(sum(e.n) filter (where e.kind = 'finished' and e.late = 0), 0) as resolved_on_time,
        coalesce(sum(e.n) filter (where e.kind = 'finished' and e.late > 0), 0) as resolved_late,
        coalesce(sum(e.n) filter (where e.kind = 'received' and e.digital), 0) as digitised,
        coalesce(sum(e.n) filter (where e.kind = 'finished' and e.digital), 0) as results_digital,
        case when count(distinct e.service_level) = 1 then min(e.service_level) end as service_level
    from event e
    join on_day p using (day)
    group by e.organization_code, e.procedure_code, p.valid_from, p.valid_to
),
-- what has happened before the first day of a period, and before the day after its last
past as (
    select entity_id, day, sum(open) over before as pending, sum(overdue) over before as overdue
    from (
        select null::bigint as entity_id, organization_code, procedure_code, day, 1 as happens,
               case kind when 'received' then n when 'overdue' then 0 else -n end as open,
               case kind when 'overdue' then late * n else 0 end as overdue
        from event
        union all
        select s.entity_id, s.organization_code, s.procedure_code, b.day, 0, 0, 0
        from said s
        cross join lateral (values (s.valid_from), (s.valid_to)) b (day)
    ) points
    window before as (partition by organization_code, procedure_code order by day, happens)
),
stock as (
    select distinct entity_id, day, pending, overdue from past where entity_id is not null
),
office as (
    select distinct e.organization_code, p.valid_from, p.valid_to from event e join on_day p using (day) where e.kind = 'received'
),
compared as (
    select
        s.entity_id, s.valid_from, d.what, d.said, d.found
    from said s
    join office o on o.organization_code = s.organization_code and o.valid_from = s.valid_from
    left join office b on b.organization_code = s.organization_code and b.valid_to = s.valid_from
    left join flow f on f.organization_code = s.organization_code and f.procedure_code = s.procedure_code
        and f.valid_from = s.valid_from
    left join stock first on first.entity_id = s.entity_id and first.day = s.valid_from
    left join stock last on last.entity_id = s.entity_id and last.day = s.valid_to
    cross join lateral (values
        ({label: service_level}, s.service_level, coalesce(f.service_level, s.service_level)),
        ({label: received_online}, s.received_online::text, coalesce(f.received_online, 0)::text),
        -- a form without a column for the post counts it at the counter
        ({label: received_in_person}, s.received_in_person::text, (coalesce(f.received_in_person, 0)
            + case when s.received_by_post is null then coalesce(f.received_by_post, 0) else 0 end)::text),
        ({label: received_by_post}, s.received_by_post::text, coalesce(f.received_by_post, 0)::text),
        ({label: withdrawn}, s.withdrawn::text, coalesce(f.withdrawn, 0)::text),
        ({label: resolved_early}, s.resolved_early::text, coalesce(f.resolved_early, 0)::text),
        ({label: resolved_on_time}, s.resolved_on_time::text, coalesce(f.resolved_on_time, 0)::text),
        ({label: resolved_late}, s.resolved_late::text, coalesce(f.resolved_late, 0)::text),
        ({label: digitised}, s.digitised::text, coalesce(f.digitised, 0)::text),
        ({label: results_digital}, s.results_digital::text, coalesce(f.results_digital, 0)::text),
        ({label: opening_stock}, s.opening_stock::text,
            case when b.valid_to is not null then first.pending::text end),
        ({label: pending_in_time}, s.pending_in_time::text,
            case when b.valid_to is not null then (last.pending - last.overdue)::text end),
        ({label: pending_overdue}, s.pending_overdue::text,
            case when b.valid_to is not null then last.overdue::text end)
    ) d (what, said, found)
)
select
    entity_id,
    valid_from,
    bool_or(said <> found) as failed,
    jsonb_build_object('differences', string_agg(what || ': ' || said || ' ≠ ' || found, '; ' order by what)
        filter (where said <> found)) as params
from compared
group by entity_id, valid_from
