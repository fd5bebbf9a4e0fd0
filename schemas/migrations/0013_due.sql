-- The days that are worked, and how many there are up to each: differences of numbers count working days.
create table core.calendar (day date primary key, works boolean not null, number integer not null, name text);

-- Senders begin, end and are followed by others.
alter table core.sender add column valid_from date, add column valid_to date, add column successor text;

-- What is expected: one row for each (sender, dataset, period) of a contract with a due day, derived from contracts, calendar, senders
-- and ledger by the clock of whoever derives it. It is operational: nothing in core or mart_v1 depends on it.
create table ops.due (
    sender            text not null,
    dataset           text not null,
    period            text not null,
    period_first      date not null,
    period_last       date not null,
    opens_on          date not null,
    due_on            date not null,
    due_at            timestamptz not null,
    state             text not null check (state in ('UPCOMING', 'OPEN', 'OVERDUE', 'RECEIVED', 'HELD', 'REJECTED', 'PARTLY', 'ACCEPTED')),
    late              boolean not null default false,
    working_days_late integer not null default 0,
    received_at       timestamptz,
    settled_at        timestamptz,
    submission_id     text,
    nothing_to_report boolean not null default false,
    responsible       text not null,
    note              text,
    derived_at        timestamptz not null,
    primary key (sender, dataset, period)
);
create index on ops.due (due_on);
-- When it was last looked at as a whole.
create table ops.due_run (derived_at timestamptz not null);

comment on table ops.due is 'What is expected from whom until when, and what became of it';
comment on column ops.due.opens_on is 'First day on which it can be sent';
comment on column ops.due.due_on is 'Last day (Vietnam), moved to a working day where the contract says so';
comment on column ops.due.due_at is 'First moment that is too late';
comment on column ops.due.state is 'UPCOMING: the period is not over; OPEN: may be sent; OVERDUE: past due_at and nothing was sent; the others: state of the best submission';
comment on column ops.due.late is 'First received after due_at, or not yet and due_at has passed';
comment on column ops.due.working_days_late is 'Working days between due_on and first receipt, or today';
comment on column ops.due.received_at is 'First receipt of a file for it, whatever became of it';
comment on column ops.due.settled_at is 'Receipt of the first submission that stands';
comment on column ops.due.responsible is 'Who answers for it today: the sender, or the one into which it was merged';
comment on column ops.due.note is 'Why a row differs from the rule: sender new, renamed, merged, ended';
