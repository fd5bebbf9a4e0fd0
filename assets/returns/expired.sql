-- Objects of the archive whose deliveries are all older than the time of retention: hash, size, deliveries, whether they may go.
-- What is not read yet, or waits for a person's decision, may not. The time is kept from when it was written down on, where that is
-- later: a file that its sender's clock, or a copy, dates in 1980 arrived all the same when it did.
with old as (
    select d.sha256, d.size, d.delivery_id,
           d.state <> 'received' and not exists (
               select from intake.submission u
               where u.delivery_id = d.delivery_id and u.state in ('received', 'staged', 'held')) as settled
    from intake.delivery d
    where d.destroyed_at is null and d.withheld is null and greatest(d.received_at, d.recorded_at) < %(now)s - make_interval(months => %(months)s)
)
select o.sha256, max(o.size), count(*),
       bool_and(o.settled) and not exists (
           select from intake.delivery y
           where y.sha256 = o.sha256 and y.destroyed_at is null and y.withheld is null
             and greatest(y.received_at, y.recorded_at) >= %(now)s - make_interval(months => %(months)s))
from old o
group by o.sha256
order by o.sha256
