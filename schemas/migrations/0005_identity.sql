-- Personal identifiers apart from everything else, and who is whom. Readers of the schema vault: the steward role only.

-- Versions of the key that lookups and archive keys hang on; the keys themselves are in the installation's key file.
create table vault.key (
    version     integer primary key,
    fingerprint text not null,
    created_at  timestamptz not null default now(),
    retired_at  timestamptz
);

-- One row for each identifier ever sent. `subject` is random and stands for it everywhere else; `value` is null once erased.
create table vault.identifier (
    subject     bigint primary key,
    kind        text not null check (kind in ('personal_id', 'record')),
    lookup      bytea,
    key_version integer not null references vault.key,
    value       text,
    recorded_at timestamptz not null default now(),
    erased_at   timestamptz,
    check ((value is null) = (erased_at is not null))
);
create unique index on vault.identifier (kind, lookup);

-- Keys of archive objects, wrapped; destroying one makes the object unreadable for ever. `sha256` is known once it is written.
create table vault.object_key (
    key_id       uuid primary key,
    wrapped      bytea,
    key_version  integer not null references vault.key,
    created_at   timestamptz not null default now(),
    destroyed_at timestamptz,
    reason       text,
    check ((wrapped is null) = (destroyed_at is not null))
);

create function vault.mask(value text) returns text language sql immutable
    return case when length(value) >= 9 then left(value, 3) || repeat('*', length(value) - 6) || right(value, 3)
                else repeat('*', length(value)) end;

-- Who read, mended or erased what about a person, and why. Append-only; no personal value in it.
create table ops.audit (
    audit_id  bigint generated always as identity primary key,
    at        timestamptz not null default clock_timestamp(),
    who       text not null,
    action    text not null,
    dataset   text,
    entity_id bigint,
    reason    text not null,
    details   jsonb not null default '{}'
);
create function ops.refuse_change() returns trigger language plpgsql as
$$ begin raise exception 'the audit log is append-only'; end $$;
create trigger append_only before update or delete or truncate on ops.audit for each statement execute function ops.refuse_change();

-- Source record keys in the order in which they were first seen: an entity has the id of its oldest member.
create table core.record (
    dataset       text not null,
    record        bigint not null,
    registered_no bigint generated always as identity,
    primary key (dataset, record)
);

-- Records that are not entities of their own: which they belong to, why, by publish. A record without a row is its own entity.
create table core.member (
    dataset      text not null,
    record       bigint not null,
    entity_id    bigint not null,
    rule         text not null,
    weight       numeric,
    fields       jsonb not null default '{}',
    publish_from bigint not null,
    publish_to   bigint
);
create unique index on core.member (dataset, record) where publish_to is null;
create index on core.member (dataset, entity_id) where publish_to is null;
create index on core.member (publish_from);

-- Rows in quarantine for want of a readable key whose entity was found all the same.
create table core.link (
    dataset       text not null,
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    record        bigint not null,
    entity_id     bigint not null,
    rule          text not null,
    weight        numeric,
    fields        jsonb not null default '{}',
    cured         boolean not null,
    publish_from  bigint not null,
    publish_to    bigint
);
create unique index on core.link (assessment_no, sheet, row) where publish_to is null;
create index on core.link (dataset, entity_id) where publish_to is null;
create index on core.link (publish_from);

-- Pairs that a person must decide, and rows that nobody answers to (right is null).
create table core.doubt (
    dataset      text not null,
    left_record  bigint not null,
    right_record bigint,
    why          text not null,
    weight       numeric,
    fields       jsonb not null default '{}',
    publish_from bigint not null,
    publish_to   bigint
);
create index on core.doubt (dataset) where publish_to is null;
create index on core.doubt (publish_from);

-- What identity was last derived from: the same again needs no work.
create table core.identity_run (
    dataset      text not null,
    fingerprint  text not null,
    publish_from bigint not null,
    publish_to   bigint
);
create unique index on core.identity_run (dataset) where publish_to is null;

-- Rows without a readable key that are known all the same, and those of them that speak.
alter table core.standing add column linked bigint not null default 0, add column cured bigint not null default 0;
