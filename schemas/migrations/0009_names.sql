-- Links may also be of rows with a readable key that is not, or no longer, that of their entity: a village by its old name, a
-- post at an organisation whose code was not read.
alter table core.link add column keyed boolean not null default false;

-- Cells that name an organisation in place of its code: which it was found to be. `record` stands for who was named by whom in
-- which place; `salt` goes into the value of the row, which says something else if the code is another one.
create table core.mention (
    dataset       text not null,
    column_name   text not null,
    assessment_no bigint not null,
    sheet         smallint not null,
    row           integer not null,
    record        bigint not null,
    code          text not null,
    salt          bigint not null,
    rule          text not null,
    weight        numeric,
    fields        jsonb not null default '{}',
    cured         boolean not null,
    publish_from  bigint not null,
    publish_to    bigint
);
create unique index on core.mention (assessment_no, sheet, row, column_name) where publish_to is null;
create index on core.mention (dataset) where publish_to is null;
create index on core.mention (publish_from);

-- Doubts of a dataset that come from rows of another one, which names what they may be.
alter table core.doubt add column origin text;
