-- Periods that were closed, and opened again: decisions of people (or of the schedule of closing), of which nothing is ever taken away.
create table intake.closing (
    closing_no bigint generated always as identity primary key,
    kind       text not null check (kind in ('close', 'reopen')),
    dataset    text not null,
    period     text not null,
    reason     text not null check (length(trim(reason)) > 0),
    decided_by text not null,
    decided_at timestamptz not null default clock_timestamp(),
    publish    bigint
);
create index on intake.closing (dataset, period);
comment on column intake.closing.publish is 'What was shown when it was decided: the figures as they were closed';

-- What follows from them: a period is closed from the first close after its last reopening. A function of the set of decisions, in
-- whatever order they were written; what was received up to that moment counts, whenever it is read.
create view ops.close as
select n.dataset, n.period, n.times, r.reopened_at, f.decided_at as closed_at, f.reason, f.decided_by, f.publish
from (select dataset, period, count(*) filter (where kind = 'close') as times from intake.closing group by dataset, period) n
join lateral (select max(x.decided_at) as reopened_at from intake.closing x
              where (x.dataset, x.period, x.kind) = (n.dataset, n.period, 'reopen')) r on true
left join lateral (select x.* from intake.closing x
                   where (x.dataset, x.period, x.kind) = (n.dataset, n.period, 'close')
                     and (r.reopened_at is null or x.decided_at > r.reopened_at)
                   order by x.decided_at, x.closing_no limit 1) f on true;
comment on column ops.close.closed_at is 'Since when it is closed; null: it was opened again';
