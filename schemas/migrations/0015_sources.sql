-- Where a source stands: what was last taken of it. Written in the transaction that writes the delivery down.
create table ops.source_state (
    source      text primary key,
    watermark   jsonb,
    boundary    text[] not null default '{}',
    sha256      text,
    period      text,
    delivery_id text,
    taken_at    timestamptz not null
);
comment on table ops.source_state is 'What was last taken of a source';
comment on column ops.source_state.source is '<sender>/<name> of its declaration';
comment on column ops.source_state.watermark is 'Greatest value taken of the column that tells what is new: {"type": ..., "value": ...}';
comment on column ops.source_state.boundary is 'Hashes of the rows that are at or near the watermark: they come again and are not taken twice';

-- Every attempt. No value of a row, no text of a server.
create table ops.source_pull (
    pull_id     bigint generated always as identity primary key,
    source      text not null,
    kind        text not null,
    started_at  timestamptz not null,
    ended_at    timestamptz,
    outcome     text not null check (outcome in ('running', 'delivered', 'unchanged', 'empty', 'failed', 'lost')),
    rows        bigint,
    bytes       bigint,
    delivery_id text,
    fault       text,
    check ((outcome = 'failed') = (fault is not null))
);
create index on ops.source_pull (source, pull_id desc);
