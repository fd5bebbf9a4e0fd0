-- Whether reminders are sent at all: the newest row says it. Without a row they are not.
create table ops.reminder_switch (
    switch_id bigint generated always as identity primary key,
    at        timestamptz not null default clock_timestamp(),
    sending   boolean not null,
    who       text not null,
    reason    text not null check (length(trim(reason)) > 0)
);
create trigger append_only before update or delete or truncate on ops.reminder_switch
    for each statement execute function ops.refuse_change();

-- A letter to whoever answers for a sender: all its reminders of a day. Its id is that of what it says, so that it is known again.
create table ops.letter (
    letter_id   text primary key,
    responsible text not null,
    day         date not null,
    state       text not null check (state in ('sending', 'sent', 'failed', 'refused', 'cancelled')),
    channels    text[] not null default '{}',
    attempts    integer not null default 0,
    error       text,
    made_at     timestamptz not null,
    ended_at    timestamptz
);
create index on ops.letter (state) where state in ('sending', 'failed');
comment on column ops.letter.state is 'sending: not known whether it went; failed: to be tried again; refused: it will never go this way';

-- A reminder: of one period of one dataset, at one step before or after its day; once ever.
create table ops.reminder (
    sender      text not null,
    dataset     text not null,
    period      text not null,
    step        text not null,
    due_on      date not null,
    responsible text not null,
    counted     boolean not null,
    number      integer,
    level       integer,
    letter_id   text not null references ops.letter,
    primary key (sender, dataset, period, step)
);
create index on ops.reminder (letter_id);
create index on ops.reminder (responsible, due_on) where counted;
comment on column ops.reminder.counted is 'Counts by the rule of the province: the first after the day that was sent, once for each period of a dataset';
comment on column ops.reminder.number is 'Which one it is of the year of due_on, for who is responsible';

-- What operators were told, and whether it still holds.
create table ops.alert (
    alert_id  bigint generated always as identity primary key,
    kind      text not null,
    about     text not null,
    params    jsonb not null default '{}',
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    told_at   timestamptz,
    attempts  integer not null default 0,
    ended_at  timestamptz
);
create unique index on ops.alert (kind, about) where ended_at is null;
