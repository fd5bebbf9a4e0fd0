-- A warehouse that was published once: dossiers in thousands of days, villages with three versions each, figures of every commune and
-- month, and a line for each sender, dataset and month. What was published before and is past stands beside it, as in a real one.
insert into core.publish values (1, 'publish', 'published', 1, now(), now(), '{}'), (2, 'publish', 'published', 2, now(), now(), '{}');
update core.pointer set shows = 2;

insert into core.dossiers (
    entity_id, valid_from, valid_to, publish_from, publish_to, value_hash, dossier_number, procedure_code, service_level,
    organization_code, commune_code, received_on, due_on, finished_on, channel, digitised, result_digital
)
select n::bigint * 7919 %% 1000000007, d.day, case when n %% 20 = 0 then d.day + 30 end, 1, case when n %% 50 = 0 then 2 end, n,
       'H56.' || n %% 65 || '-' || lpad(n::text, 9, '0'), '1.' || lpad((n %% 900)::text, 6, '0') || '.H56',
       (array['TOAN_TRINH', 'MOT_PHAN', 'KHONG'])[1 + n %% 3], 'UBND-' || 22000 + n %% 65, (22000 + n %% 65)::text, d.day, d.day + 10,
       case when n %% 5 > 0 then d.day + 7 end, (array['TRUC_TUYEN', 'TRUC_TIEP', 'BUU_CHINH'])[1 + n %% 3], n %% 2 = 0, n %% 4 = 0
from generate_series(1, %(rows)s) n
cross join lateral (select date '2018-01-01' + (n::bigint * 3000 / %(rows)s)::int as day) d;

insert into core.villages (
    entity_id, valid_from, valid_to, publish_from, publish_to, value_hash, commune_code, village_name, village_type, households, population
)
select n::bigint * 6007, date '2024-03-31' + v * 90, case when v < 3 then date '2024-06-29' + v * 90 end, 1, null, n * 4 + v,
       (22000 + n %% 65)::text, 'Thôn ' || n, 'THON', 100 + n %% 300 + v, 400 + n %% 900
from generate_series(1, greatest(%(rows)s / 100, 500)) n
cross join generate_series(0, 3) v;

insert into core.indicator_value (
    indicator, variant, unit_kind, unit, unit_name, period_kind, period, first_day, as_of, value, numerator, denominator, status,
    publish_from, publish_to
)
select 'I' || lpad(i::text, 2, '0'), '', 'COMMUNE', (22000 + u)::text, 'Xã ' || u, 'month', to_char(d.day, 'YYYY-MM'), d.day,
       (d.day + interval '1 month - 1 day')::date, i + u / 7.0, i, u, 'NO_TARGET', p, case when p = 1 then 2 end
from generate_series(1, 49) i
cross join generate_series(0, 64) u
cross join generate_series(timestamp '2025-07-01', '2025-07-01'::timestamp + interval '1 month' * least(%(rows)s / 80000, 23), '1 month') d (day)
cross join generate_series(1, 2) p;

insert into core.submission_log (dataset, sender, period, period_first, period_last, due, received_at, state, publish_from)
select 'd' || n, (22000 + u)::text, to_char(d.day, 'YYYY-MM'), d.day, (d.day + interval '1 month - 1 day')::date, true,
       d.day + interval '1 hour' * (u + n), 'DAT', 2
from generate_series(1, 20) n
cross join generate_series(0, 78) u
cross join generate_series(timestamp '2025-07-01', '2026-06-01', '1 month') d (day);

-- Posts and monthly evaluations of people, most of whom are known to staff, some by two numbers.
insert into core.member (dataset, record, entity_id, rule, publish_from, publish_to)
select 'staff', n, n - n %% 10 / 9, 'FIRST', 1, case when n %% 50 = 0 then 2 end
from generate_series(1, %(rows)s / 50) n
where n %% 5 > 0;

insert into core.assignments (
    entity_id, valid_from, valid_to, publish_from, publish_to, value_hash, citizen_id, organization_code, post, started_on, commune_code
)
select n * 4 + v, date '2020-01-01' + v * 500, date '2021-01-01' + v * 500, 1, case when n %% 40 = 0 and v = 1 then 2 end, n * 4 + v, n,
       'UBND-' || 22000 + n %% 65, 'CHUYEN_VIEN', date '2020-01-01' + v * 500, (22000 + n %% 65)::text
from generate_series(1, %(rows)s / 50) n
cross join generate_series(0, 2) v;

insert into core.kpi_evaluations (
    entity_id, valid_from, valid_to, publish_from, publish_to, value_hash, citizen_id, organization_code, approved_on, commune_code
)
select n * 16 + v, d.day, (d.day + interval '1 month')::date, 1, case when n %% 40 = 0 and v = 1 then 2 end, n * 16 + v, n,
       'UBND-' || 22000 + n %% 65, d.day, (22000 + n %% 65)::text
from generate_series(1, %(rows)s / 50) n
cross join generate_series(0, 11) v
cross join lateral (select (date '2025-07-01' + interval '1 month' * v)::date as day) d;
