-- Indicators: what they are (from the files of assets/marts/indicators), their values by publish, and the log of submissions
-- (D00) as of each publish. Values and log are derived like history: never entered.
create table core.indicator (
    code         text primary key,
    name_vi      text not null,
    name_en      text not null,
    formula      text not null,
    theme        text not null,
    grain        text[] not null,
    periods      text[] not null,
    direction    text not null,
    reads        text[] not null,
    norms        text[] not null,
    source       text not null,
    hidden_below integer
);
create table core.indicator_variant (
    code    text not null references core.indicator on delete cascade,
    variant text not null,
    measure text not null,
    unit    text not null,
    name_vi text not null,
    name_en text not null,
    primary key (code, variant)
);
create table core.mandate (code text primary key, position integer not null, name_vi text not null, name_en text not null);
create table core.mandate_answer (
    mandate   text not null references core.mandate on delete cascade,
    position  integer not null,
    indicator text not null,
    variant   text not null,
    unit_kind text not null,
    unit      text not null,
    primary key (mandate, indicator, variant, unit_kind, unit)
);
-- What the tables above were written from.
create table core.indicator_version (fingerprint text not null);

create table core.indicator_value (
    indicator    text not null,
    variant      text not null,
    unit_kind    text not null check (unit_kind in ('PROVINCE', 'BLOC', 'FIELD', 'COMMUNE', 'ORGANIZATION')),
    unit         text not null,
    unit_name    text,
    period_kind  text not null check (period_kind in ('month', 'quarter', 'half', 'year')),
    period       text not null,
    first_day    date not null,
    as_of        date not null,
    value        numeric,
    numerator    numeric,
    denominator  numeric,
    unknown      numeric not null default 0,
    target       numeric,
    target_due   date,
    status       text not null check (status in ('MET', 'NOT_MET', 'NOT_YET', 'NO_TARGET', 'NO_DATA')),
    hidden       boolean not null default false,
    publish_from bigint not null,
    publish_to   bigint
);
create unique index on core.indicator_value (indicator, period_kind, period, unit_kind, unit, variant) where publish_to is null;
create index on core.indicator_value (indicator, unit, period);
create index on core.indicator_value (publish_from);
create index on core.indicator_value (publish_to) where publish_to is not null;

-- What an indicator was last computed with, and for which days: the same again needs no work.
create table core.indicator_run (
    indicator    text not null,
    fingerprint  text not null,
    first        date,
    last         date,
    publish_from bigint not null,
    publish_to   bigint
);
create unique index on core.indicator_run (indicator) where publish_to is null;
create index on core.indicator_run (publish_from);

create table core.submission_log (
    dataset              text not null,
    sender               text not null,
    period               text not null,
    period_first         date not null,
    period_last          date not null,
    due_on               date,
    due                  boolean not null,
    received_at          timestamptz,
    state                text not null check (state in ('CHUA_NOP', 'TIEP_NHAN', 'DAT', 'DAT_MOT_PHAN', 'TU_CHOI')),
    nothing_to_report    boolean not null default false,
    rows_read            bigint not null default 0,
    rows_accepted        bigint not null default 0,
    rows_faulty          bigint not null default 0,
    required_cells       bigint not null default 0,
    required_cells_empty bigint not null default 0,
    reminders            integer not null default 0,
    content_hash         text,
    submission_id        text,
    publish_from         bigint not null,
    publish_to           bigint
);
create unique index on core.submission_log (dataset, sender, period) where publish_to is null;
create index on core.submission_log (publish_from);
create index on core.submission_log (publish_to) where publish_to is not null;
-- What the log was last derived from.
create table core.submission_log_run (fingerprint text not null, publish_from bigint not null, publish_to bigint);
create unique index on core.submission_log_run ((true)) where publish_to is null;

create view mart_v1.submission_log as
select l.dataset, l.sender, s.name as sender_name, l.period, l.period_first, l.period_last, l.due_on, l.due, l.received_at, l.state,
       l.nothing_to_report, l.rows_read, l.rows_accepted, l.rows_faulty, l.required_cells, l.required_cells_empty, l.reminders,
       l.content_hash, l.submission_id
from core.pointer p
cross join core.submission_log l
left join core.sender s on s.code = l.sender
where l.publish_from <= p.shows and (l.publish_to is null or l.publish_to > p.shows);

create view mart_v1.indicators as
select i.code as indicator, v.variant, v.name_vi, v.name_en, v.unit as measured_in, v.measure, i.formula, i.theme, i.grain,
       i.periods, i.direction, i.reads, i.norms, i.source, i.hidden_below
from core.indicator i join core.indicator_variant v using (code);

-- Small counts of people are hidden, and as many more as it takes that none can be found by subtraction (core.indicator_value.hidden).
create view mart_v1.indicator_value as
select v.indicator, v.variant, v.unit_kind, v.unit, v.unit_name, v.period_kind, v.period, v.first_day, v.as_of,
       case when not v.hidden then v.value end as value,
       case when not v.hidden then v.numerator end as numerator,
       case when not v.hidden then v.denominator end as denominator,
       case when not v.hidden then v.unknown end as unknown,
       v.target, v.target_due, case when v.hidden then 'HIDDEN' else v.status end as status
from core.indicator_value v, core.pointer p
where v.publish_from <= p.shows and (v.publish_to is null or v.publish_to > p.shows);

-- Who was due to send what an indicator is made of and has not, or said that there is nothing: named, never counted as 0.
create view mart_v1.indicator_missing as
with told as materialized (
    select distinct v.indicator, v.period_kind, v.period, v.first_day, v.as_of
    from core.indicator_value v, core.pointer p
    where v.publish_from <= p.shows and (v.publish_to is null or v.publish_to > p.shows)
)
select i.code as indicator, l.dataset, case when s.kind = 'commune' then 'COMMUNE' else 'ORGANIZATION' end as unit_kind,
       coalesce(s.commune_code, l.sender) as unit, s.name as unit_name, t.period_kind, t.period, t.as_of, l.period as sent_period,
       l.due_on,
       case when l.nothing_to_report then 'NOTHING_TO_REPORT' when l.state = 'CHUA_NOP' then 'NOT_REPORTED'
            when l.state = 'TIEP_NHAN' then 'HELD' else 'REFUSED' end as reason
from mart_v1.submission_log l
join core.indicator i on l.dataset = any (i.reads)
join core.sender s on s.code = l.sender
join told t on t.indicator = i.code and l.period_last between t.first_day and t.as_of
where (l.due and l.state in ('CHUA_NOP', 'TIEP_NHAN', 'TU_CHOI')) or (l.nothing_to_report and l.state in ('DAT', 'DAT_MOT_PHAN'));

-- The way to a target with a day: planned in equal steps a quarter from the first quarter that has a target, against what came.
create view mart_v1.indicator_path as
with quarterly as (
    select v.*, m.measure,
           first_value(v.as_of) over w as base_day, first_value(v.value) over w as base_value
    from mart_v1.indicator_value v
    join core.indicator_variant m on m.code = v.indicator and m.variant = v.variant
    where v.period_kind = 'quarter' and v.target_due is not null and v.target is not null and v.value is not null
    window w as (partition by v.indicator, v.variant, v.unit_kind, v.unit order by v.as_of)
),
line as (
    select distinct on (indicator, variant, unit_kind, unit)
           indicator, variant, unit_kind, unit, unit_name, measure, base_day, base_value, target, target_due
    from quarterly
    order by indicator, variant, unit_kind, unit, as_of desc
),
step as (
    select l.*, (d.day + interval '3 months - 1 day')::date as as_of,
           row_number() over (partition by l.indicator, l.variant, l.unit_kind, l.unit order by d.day) - 1 as done,
           count(*) over (partition by l.indicator, l.variant, l.unit_kind, l.unit) - 1 as steps
    from line l
    cross join lateral generate_series(date_trunc('quarter', l.base_day), date_trunc('quarter', l.target_due), interval '3 months') d (day)
)
select s.indicator, s.variant, s.unit_kind, s.unit, s.unit_name, to_char(s.as_of, 'YYYY"-Q"Q') as quarter, s.as_of,
       case when s.measure in ('count', 'excess', 'pace') then ceil(s.base_value + (s.target - s.base_value) * s.done / nullif(s.steps, 0))
            else round(s.base_value + (s.target - s.base_value) * s.done / nullif(s.steps, 0), 2) end as planned,
       q.value as actual, s.target, s.target_due
from step s
left join quarterly q using (indicator, variant, unit_kind, unit, as_of);

-- The question behind each mandate: the newest answer that there is, or that there is none, with the way back to the cells.
create view mart_v1.mandate_answers as
select m.code as mandate, m.name_vi as mandate_vi, m.name_en as mandate_en, a.indicator, a.variant, n.name_vi, n.name_en,
       n.unit as measured_in, a.unit_kind, v.unit, v.unit_name, v.period_kind, v.period, v.as_of, v.value, v.numerator,
       v.denominator, v.unknown, v.target, v.target_due, coalesce(v.status, 'NO_DATA') as status,
       'lienthong trace ' || a.indicator || case when a.variant <> '' then ' --variant ' || a.variant else '' end
           || ' --unit ' || case when a.unit_kind in ('BLOC', 'FIELD') then a.unit_kind || ':' else '' end || v.unit || ' --period ' || v.period as way_back
from core.mandate m
join core.mandate_answer a on a.mandate = m.code
left join core.indicator_variant n on n.code = a.indicator and n.variant = a.variant
left join lateral (
    select * from mart_v1.indicator_value v
    where v.indicator = a.indicator and v.variant = a.variant and v.unit_kind = a.unit_kind and (a.unit = '' or v.unit = a.unit)
    order by v.status = 'NO_DATA', v.as_of desc, array_position(array['month', 'quarter', 'half', 'year'], v.period_kind)
    limit 1
) v on true
order by m.position, a.position;
