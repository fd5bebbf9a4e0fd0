-- What senders say of an entity beside the value that stands, by valid time and publish. Derived like history: never entered.
-- chosen = {sender, value}; others = [{sender, value}] of all others who give a value; since = first day of the dispute.
create table core.conflict (
    dataset      text not null,
    entity_id    bigint not null,
    attribute    text not null,
    valid_from   date not null,
    valid_to     date,
    chosen       jsonb not null,
    others       jsonb not null,
    senders      text[] not null,
    rule         text not null,
    since        date not null,
    publish_from bigint not null,
    publish_to   bigint,
    check (valid_to > valid_from)
);
create unique index on core.conflict (dataset, entity_id, attribute, valid_from, publish_from);
create index on core.conflict (dataset, entity_id) where publish_to is null;
create index on core.conflict (publish_from);
create index on core.conflict (publish_to) where publish_to is not null;
