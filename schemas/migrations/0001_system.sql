-- The system's own tables. Contract tables (staging.<dataset>, core.<dataset>, views) are synced by schemas.tables.
create schema if not exists intake;
create schema if not exists staging;
create schema if not exists vault;
create schema if not exists core;
create schema if not exists mart_v1;
create schema if not exists ops;

-- States of a submission and what D00 (nhat_ky_nop) calls them.
create table intake.state (
    state       text primary key,
    d00_state   text not null check (d00_state in ('CHUA_NOP', 'TIEP_NHAN', 'DAT', 'DAT_MOT_PHAN', 'TU_CHOI')),
    label       text not null
);
insert into intake.state values
    ('received',   'TIEP_NHAN',    'Đã tiếp nhận'),
    ('staged',     'TIEP_NHAN',    'Đã kiểm tra, chờ công bố'),
    ('accepted',   'DAT',          'Đạt'),
    ('partly',     'DAT_MOT_PHAN', 'Đạt một phần'),
    ('held',       'TIEP_NHAN',    'Tạm giữ, chờ quyết định'),
    ('repeated',   'DAT',          'Trùng với bản đang có hiệu lực'),
    ('superseded', 'DAT',          'Đã được bản sau thay thế'),
    ('withdrawn',  'TU_CHOI',      'Đã rút'),
    ('rejected',   'TU_CHOI',      'Từ chối');

-- `content` identifies what a submission says: its bytes, with the statements of its sidecar where it has one.
-- Bytes that arrived. The id is a hash of what makes the delivery itself, so that seeing it twice is seeing it once.
create table intake.delivery (
    delivery_id  text primary key,
    sha256       text not null,
    size         bigint not null,
    sender       text not null,
    period       text not null,
    file_name    text not null,
    origin       text not null,
    received_at  timestamptz not null,
    sidecar      jsonb not null default '{}',
    state        text not null check (state in ('received', 'read', 'rejected')),
    problems     jsonb not null default '[]',
    recorded_at  timestamptz not null default now()
);
create index on intake.delivery (sha256);
create index on intake.delivery (state) where state = 'received';

create table intake.submission (
    submission_no    bigint generated always as identity unique,
    submission_id    text primary key,
    delivery_id      text not null references intake.delivery,
    dataset          text,
    sender           text not null,
    period           text,
    period_first     date,
    period_last      date,
    as_of            date,
    as_of_source     text check (as_of_source in ('sidecar', 'sheet', 'period')),
    received_at      timestamptz not null,
    sha256           text not null,
    content          text not null,
    file_name        text not null,
    state            text not null references intake.state,
    problems         jsonb not null default '[]',
    assessment_no    bigint,
    withdraws        text,
    rows_read        bigint not null default 0,
    rows_accepted    bigint not null default 0,
    rows_quarantined bigint not null default 0,
    rows_set_aside   bigint not null default 0,
    rows_flagged     bigint not null default 0,
    set_aside        jsonb not null default '{}',
    state_publish    bigint,
    announced_state  text,
    check (rows_read = rows_accepted + rows_quarantined + rows_set_aside)
);
create index on intake.submission (dataset, sender, period);
create index on intake.submission (state);
create index on intake.submission (submission_no) where announced_state is distinct from state;

-- One reading of a submission under one contract version, rule set and reference version: a replay appends another.
create table intake.assessment (
    assessment_no     bigint generated always as identity primary key,
    submission_no     bigint not null references intake.submission (submission_no),
    contract_version  text not null,
    rule_set          text not null,
    reference_version text not null,
    layout            jsonb not null,
    rows_accepted     bigint not null default 0,
    rows_quarantined  bigint not null default 0,
    unkeyed           bigint not null default 0,
    base_assessment   bigint,
    created_at        timestamptz not null default now()
);
create index on intake.assessment (submission_no);

-- What people decided. Append-only; a decision on a hold names the pair (submission, predecessor) and lapses with it.
create table intake.decision (
    decision_id   bigint generated always as identity primary key,
    kind          text not null check (kind in ('accept', 'refuse', 'waive', 'withdraw')),
    submission_id text not null references intake.submission,
    predecessor   text,
    rule          text,
    sheet         smallint,
    row           integer,
    reason        text not null check (length(trim(reason)) > 0),
    decided_by    text not null,
    decided_at    timestamptz not null default now()
);
create index on intake.decision (submission_id);

create table staging.verdict (
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    rule          text not null,
    column_name   text,
    severity      text not null check (severity in ('error', 'warning')),
    address       text not null,
    params        jsonb not null default '{}'
);
create index on staging.verdict (assessment_no, sheet, row);
create index on staging.verdict (rule);

create table staging.quarantine (
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    key           bigint,
    raw           jsonb not null,
    primary key (assessment_no, sheet, row)
);
create table staging.repair (
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    column_name   text not null,
    rule          text not null,
    raw           text not null
);
create index on staging.repair (assessment_no, sheet, row);
create table staging.set_aside (
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    reason        text not null check (reason in ('TITLE', 'HEADER', 'SECTION', 'TOTAL', 'NOTE', 'BLANK', 'REPEAT', 'OUT_OF_SCOPE')),
    text          text not null
);
create index on staging.set_aside (assessment_no, sheet, row);
create table staging.check_result (
    assessment_no bigint not null,
    check_id      text not null,
    severity      text not null,
    status        text not null check (status in ('passed', 'failed', 'could_not_run', 'not_evaluated')),
    evaluated     bigint not null,
    unexpected    bigint not null,
    addresses     text[] not null default '{}',
    primary key (assessment_no, check_id)
);
-- Rows of a base assessment that this one does not repeat unchanged (it has all others in common with it).
create table staging.dropped (
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    primary key (assessment_no, sheet, row)
);
-- From base row `first` on, a row that both share stands `shift` rows further down in the newer file.
create table staging.shift (
    assessment_no bigint not null,
    sheet         smallint not null,
    first         integer not null,
    shift         integer not null,
    primary key (assessment_no, sheet, first)
);

-- System time: one row per publish; `shows` differs from `number` where a publish was taken back.
create table core.publish (
    number       bigint primary key,
    kind         text not null check (kind in ('publish', 'back_to')),
    state        text not null check (state in ('open', 'published', 'swept')),
    shows        bigint not null,
    opened_at    timestamptz not null default now(),
    published_at timestamptz,
    summary      jsonb not null default '{}'
);
create table core.pointer (
    one   boolean primary key default true check (one),
    shows bigint not null
);
insert into core.publish values (0, 'publish', 'published', 0, now(), now(), '{}');
insert into core.pointer values (true, 0);

create function core.shown() returns bigint language sql stable as 'select shows from core.pointer';

-- What each submission stands for, by publish. Derived from the set of submissions and decisions, never entered.
create table core.standing (
    submission_no  bigint not null,
    dataset        text not null,
    standing       text not null check (standing in ('in_force', 'held', 'repeated', 'superseded', 'withdrawn')),
    reasons        jsonb not null default '[]',
    predecessor_no bigint,
    ends_nobody    boolean not null default false,
    assessment_no  bigint not null,
    waivers        bigint not null default 0,
    publish_from   bigint not null,
    publish_to     bigint
);
create unique index on core.standing (submission_no) where publish_to is null;
create index on core.standing (dataset) where publish_to is null;
create index on core.standing (publish_from);

-- Share of the predecessor's keys that a snapshot would end: a pure function of two assessments, so kept.
create table core.pair_difference (
    assessment_no bigint not null,
    before_no     bigint not null,
    keys_before   bigint not null,
    keys_ended    bigint not null,
    primary key (assessment_no, before_no)
);

create table core.reference_version (version text not null, loaded_at timestamptz not null default now());
create table core.unit (
    code text not null, name text not null, type text not null, level text not null, parent_code text,
    province_code text not null, district_name text, valid_from date not null, valid_to date,
    primary key (code, level, valid_from)
);
create index on core.unit (province_code);
create table core.unit_change (
    old_code text not null, old_name text not null, new_code text not null, new_name text not null,
    kind text not null check (kind in ('TOAN_BO', 'MOT_PHAN')), effective_date date not null,
    primary key (old_code, new_code, effective_date)
);
create table core.sender (code text primary key, name text not null, kind text not null, commune_code text);

-- Contracts as synced to the tables: what the database believes about a dataset.
create table ops.contract (
    dataset   text primary key,
    version   text not null,
    shape     jsonb not null,
    view_hash text not null default '',
    synced_at timestamptz not null default now()
);
