-- Edges from what is said (_event of successors and predecessors, _piece = whom their rows name).
create temporary table _edge on commit drop as
with word as (  -- of several rows of a sender about one day the last received counts, as in the spans
    select distinct on (entity_id, sender, day) *
    from (select *, coalesce(vf, as_of) as day from _event) e
    order by entity_id, sender, day, as_of desc, seq desc
),
first_day as (select entity_id, min(day) as day from word group by entity_id),
named as (
    select distinct on (w.entity_id, p.predecessor_id, p.said)
           w.entity_id as successor_id, p.predecessor_id, p.said, w.day, w.seq, w.vf is null as as_of_only
    from word w
    join _piece p using (home, sheet, row)
    where w.state = 'V'
    order by w.entity_id, p.predecessor_id, p.said, w.day, w.as_of, w.seq
),
-- a list may say only later what came of whom: where the predecessor is not named on or after the successor's first day, it
-- ended on that day
dated as (
    select n.successor_id, n.predecessor_id, n.said, n.seq,
           case when n.as_of_only and n.predecessor_id is not null and f.day < n.day and not exists (
                     select from word p where p.entity_id = n.predecessor_id and p.day >= f.day)
                then f.day else n.day end as effective_date
    from named n
    join first_day f on f.entity_id = n.successor_id
),
edge as (  -- two spellings of one predecessor are one edge
    select distinct on (successor_id, coalesce(predecessor_id::text, said)) *
    from dated
    order by successor_id, coalesce(predecessor_id::text, said), effective_date, seq, said
),
reborn as (  -- until when a predecessor may be named again without going on: a successor of that name
    select e.predecessor_id, e.effective_date, min(b.effective_date) as at
    from edge e
    join edge b on b.successor_id = e.predecessor_id and b.effective_date > e.effective_date
    group by 1, 2
),
asserted as (
    select e.successor_id, e.predecessor_id,
           exists (
               select from word p
               where p.entity_id = e.predecessor_id and (r.at is null or p.day < r.at)
                 and case when p.vf is null then p.as_of >= e.effective_date
                          else (p.as_of >= e.effective_date and (p.vt is null or p.vt > e.effective_date))
                               or p.vt > e.effective_date or p.vf >= e.effective_date end
           ) as goes_on
    from edge e
    left join reborn r on r.predecessor_id = e.predecessor_id and r.effective_date = e.effective_date
    where e.predecessor_id is not null
),
counted as (
    select e.*, coalesce(a.goes_on, false) as goes_on,
           count(*) over (partition by e.successor_id, e.effective_date)
               + (exists (select from word w where w.entity_id = e.successor_id and w.day < e.effective_date))::int as sources,
           case when e.predecessor_id is null then 1
                else count(*) over (partition by e.predecessor_id, e.effective_date) end as results
    from edge e
    left join asserted a on a.successor_id = e.successor_id and a.predecessor_id = e.predecessor_id
)
select c.successor_id, c.predecessor_id, c.said, c.effective_date, c.goes_on, f.submission_no,
       case when c.goes_on or (c.results > 1 and c.sources > 1) then 'PART'
            when c.results > 1 then 'SPLIT'
            when c.sources > 1 then 'MERGE'
            else 'RENAME' end as kind
from counted c
join _force f on f.seq = ceil(c.seq)  -- what a quarantined row leans on stands half a step before it
