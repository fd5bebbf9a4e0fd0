-- What each release of the open-data set told of counts of people, for the next one: what was hidden stays hidden, what was shown is
-- known. A cell has a number for each value that it has had. Counts in clear: for the pipeline alone.
create table ops.open_release (
    release     bigint generated always as identity primary key,
    publish     bigint not null,
    shows       bigint not null,
    valid_at    timestamptz not null,
    released_at timestamptz not null default clock_timestamp(),
    released_by text not null
);
create table ops.open_cell (
    release  bigint not null references ops.open_release,
    relation text not null,
    number   bigint not null check (number > 0),
    row      text not null,
    name     text not null,
    value    double precision,
    hidden   boolean not null,
    slack    boolean not null,
    possible smallint not null,
    primary key (relation, number)
);
create unique index on ops.open_cell (relation, row, name, value) nulls not distinct;
create table ops.open_sum (
    release  bigint not null references ops.open_release,
    relation text not null,
    terms    bigint[] not null
);
create index on ops.open_sum (relation);
comment on column ops.open_cell.release is 'The first that told or hid the cell with this value';
comment on column ops.open_cell.slack is 'Never published, and no small count: what a whole leaves of its parts';
comment on column ops.open_cell.possible is 'How many values it might have had for a reader of this release and those before, at most 5';
comment on column ops.open_sum.terms is 'Numbers of hidden cells that add up to something known; negative: subtracted';

create trigger append_only before update or delete or truncate on ops.open_release
    for each statement execute function ops.refuse_change();
create trigger append_only before update or delete or truncate on ops.open_cell
    for each statement execute function ops.refuse_change();
create trigger append_only before update or delete or truncate on ops.open_sum
    for each statement execute function ops.refuse_change();
