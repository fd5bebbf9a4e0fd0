-- What rules across submissions and datasets have found, by publish. Derived like history: never entered.
create table core.finding (
    dataset      text not null,
    rule         text not null,
    entity_id    bigint not null,
    valid_from   date not null,
    params       jsonb not null,
    publish_from bigint not null,
    publish_to   bigint
);
create index on core.finding (dataset, rule) where publish_to is null;
create index on core.finding (publish_from);

-- How many rows each rule could judge, and what it was evaluated with; 'not_evaluated' is no pass.
create table core.rule_result (
    dataset      text not null,
    rule         text not null,
    fingerprint  text not null,
    evaluated    bigint not null,
    failed       bigint not null,
    publish_from bigint not null,
    publish_to   bigint,
    status       text not null generated always as (
        case when evaluated = 0 then 'not_evaluated' when failed > 0 then 'failed' else 'passed' end
    ) stored
);
create index on core.rule_result (publish_from);

create view mart_v1.findings as
select f.dataset, f.rule, f.entity_id, f.valid_from, f.params
from core.finding f, core.pointer p
where f.publish_from <= p.shows and (f.publish_to is null or f.publish_to > p.shows);
