-- The change feed: what a publish did to what apps read, row by row, in the order of publishes. A change names its row; what the row
-- says is looked up in core as of its publish, so that nothing is kept twice and an erasure reaches it by itself.

-- The erasure of a person is a publish of its own: readers see other rows after it.
alter table core.publish drop constraint publish_kind_check;
alter table core.publish add constraint publish_kind_check check (kind in ('publish', 'back_to', 'erasure'));
-- previous: the publish that readers saw before; changes: how many the feed has of it; changed_before: the last one before it that has any.
alter table core.publish add column previous bigint, add column changed_before bigint, add column changes bigint not null default 0;
update core.publish p set previous = l.previous
from (select number, lag(number) over (order by number) as previous from core.publish where state = 'published') l
where l.number = p.number;
create index publish_published on core.publish (number) where state = 'published';

create table core.change (
    publish    bigint not null,
    sequence   bigint not null,
    dataset    text not null,
    entity_id  bigint not null,
    operation  text not null check (operation in ('insert', 'update', 'delete', 'erase')),
    valid_from date,
    valid_to   date,
    primary key (publish, sequence),
    check ((valid_from is null) = (operation = 'erase'))
);

-- What a row of the feed says: the columns that say which row it is, and all that readers see of it.
create type core.said as (key jsonb, data jsonb);

-- feed: another after a restore, so that whoever followed what is lost notices. since: whoever has seen less must begin anew.
-- salt: of the ids of rows whose own id is for nobody's eyes.
create table core.feed (
    one   boolean primary key default true check (one),
    feed  uuid not null default gen_random_uuid(),
    since bigint not null,
    salt  bigint not null default hashtextextended(gen_random_uuid()::text, 0)
);
insert into core.feed (since) select max(number) from core.publish where state = 'published';

-- What is followed, as functions core.<name>_at(shows) and core.<name>_touched(low, high) say it (schemas.feed).
create table core.followed (
    dataset text primary key,
    -- its rows change with other tables' too
    joined  boolean not null
);

create index on core.member (publish_to) where publish_to is not null;

-- An id for each value of an indicator, as rows of datasets have one.
alter table core.indicator_value add column value_id bigint not null generated always as (hashtextextended(
    indicator || '|' || variant || '|' || unit_kind || '|' || unit || '|' || period_kind || '|' || period, 0)) stored;
create index on core.indicator_value (value_id, first_day, publish_from);

create function core.shows_at(of_publish bigint) returns bigint language plpgsql stable as $$
declare
    found_shows bigint;
begin
    select p.shows into found_shows from core.publish p where p.number = of_publish and p.state = 'published';
    if not found then
        raise exception using errcode = 'no_data_found', message = 'there is no publish ' || coalesce(of_publish::text, 'null'),
            hint = 'mart_v1.publishes has those that there are';
    end if;
    return found_shows;
end
$$;

create or replace view mart_v1.publishes as
select p.number as publish, p.kind, p.shows, p.published_at, p.previous, p.changes
from core.publish p
where p.state = 'published';

create view mart_v1.feed_position as
select f.feed, (select max(p.number) from core.publish p where p.state = 'published') as publish, f.since
from core.feed f;
