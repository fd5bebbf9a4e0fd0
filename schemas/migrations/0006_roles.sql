-- Who may read what, and what is kept of what was destroyed.

-- Roles without a login of their own, for accounts to be members of. They belong to the server, not to the database: another
-- database may have made them, may be making them now, or only the server's administrator may.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['lienthong_app', 'lienthong_officer', 'lienthong_steward'] loop
        begin
            execute 'create role ' || quote_ident(wanted) || ' nologin';
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise notice using message =
                    'an administrator must make the role ' || wanted || '; lienthong db migrate then grants it what it may see';
        end;
    end loop;
end
$$;

-- An object's content, so that its key is found whatever became of the file.
alter table vault.object_key add column sha256 text;
create index on vault.object_key (sha256);

-- Bytes that the archive had and has no longer (design, law 1).
alter table intake.delivery add column destroyed_at timestamptz;
alter table intake.delivery add column destroyed_why text;
alter table intake.delivery add constraint destroyed_for_a_reason check ((destroyed_at is null) = (destroyed_why is null));
create index on intake.delivery (origin) where destroyed_at is not null;

-- Whose row it is, as in the quarantine, where the row was read before it was set aside.
alter table staging.set_aside add column key bigint;

-- What is left of a person who was erased: that, when, why and by whom; never who it was. Append-only.
create table ops.erasure (
    erasure_id bigint generated always as identity primary key,
    at         timestamptz not null default clock_timestamp(),
    who        text not null,
    reason     text not null,
    dataset    text not null,
    entity_id  bigint not null,
    objects    text[] not null,
    counts     jsonb not null
);
create index on ops.erasure (dataset, entity_id);
create trigger append_only before update or delete or truncate on ops.erasure for each statement execute function ops.refuse_change();

-- Where rows stood of which nothing but their place and their verdict is left.
create table ops.erased_row (
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    erasure_id    bigint not null references ops.erasure,
    primary key (assessment_no, sheet, row)
);

create or replace function ops.refuse_change() returns trigger language plpgsql as
$$ begin raise exception using message = 'ops.' || tg_table_name || ' is append-only'; end $$;

-- 'Nguyễn Văn An' -> 'N. V. A.'
create function vault.initials(name text) returns text language sql immutable
    return regexp_replace(upper(name), '(\S)\S*', '\1.', 'g');
