-- The feed of one's own: whose the row of a change was before it and is after it, so that a page of one's own costs what it has. Lines
-- of before this migration are told by the versions in core, when the feed is next made to follow the contracts (schemas.feed).
create table core.change_owner (
    owner    text not null,
    publish  bigint not null,
    sequence bigint not null,
    had      boolean not null,
    has      boolean not null,
    primary key (owner, publish, sequence)
);
create index on core.change_owner (publish);

-- own: columns of what is followed that say whose a row is.
alter table core.followed add column own text[] not null default '{}';

-- Datasets that this login was granted by name, whole. Not where it speaks for a commune or department (set role): those rows are then its own.
create function ops.own_datasets() returns text[] language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct a.dataset), '{}')
    from ops.access a
    where a.login = session_user and a.role in ('app', 'officer', 'steward') and a.dataset is not null and a.revoked_at is null
      and a.valid_until > clock_timestamp() and current_setting('role') = 'none'
$$;
