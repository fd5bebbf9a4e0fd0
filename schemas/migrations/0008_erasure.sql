-- Entities of people who were erased, and the records that they were made of: what is said of them is never derived again.
create table ops.erased_entity (
    dataset    text not null,
    entity_id  bigint not null,
    erasure_id bigint not null references ops.erasure,
    primary key (dataset, entity_id)
);
create trigger append_only before update or delete or truncate on ops.erased_entity
    for each statement execute function ops.refuse_change();
create index on staging.set_aside (key) where key is not null;
create index on ops.audit (entity_id);
