-- Times that contradict what is known otherwise (parameter now): what counts as received in the future; what was replaced by what
-- had come before it (submissions are numbered as they are taken in, a clock has no part in it); publishes whose times run backwards;
-- what was taken in long after its period was closed, and was not held since its time is from before.
with ahead as (
    select d.sender, d.received_at
    from intake.delivery d
    where d.received_at > %(now)s + interval '10 minutes' and d.withheld is null
      and not exists (select from intake.submission u where u.delivery_id = d.delivery_id and u.state = 'withdrawn')
),
behind as (
    select u.sender
    from intake.submission u
    join intake.delivery d using (delivery_id)
    where u.state = 'superseded' and d.recorded_at > %(now)s - interval '30 days'
      and exists (select from intake.submission o
                  where (o.dataset, o.sender, o.period) = (u.dataset, u.sender, u.period) and o.submission_no < u.submission_no
                    and o.received_at > u.received_at and o.state in ('accepted', 'partly'))
),
back as (
    select number, before
    from (select number, published_at, lag(number) over w as before, lag(published_at) over w as earlier
          from core.publish where state = 'published' window w as (order by number)) p
    where earlier > published_at
      and (published_at > %(now)s - interval '30 days' or earlier between %(now)s - interval '30 days' and %(now)s)
    order by number desc
    limit 1
),
slipped as (
    select u.sender
    from ops.close k
    join intake.submission u using (dataset, period)
    join intake.delivery d using (delivery_id)
    where u.received_at <= k.closed_at and d.recorded_at > k.closed_at + interval '1 day' and u.state in ('accepted', 'partly')
)
select (select count(*) from ahead), (select max(received_at) from ahead), (select string_agg(distinct sender, ', ') from ahead),
       (select count(*) from behind), (select string_agg(distinct sender, ', ') from behind),
       (select number from back), (select before from back), (select count(*) from slipped),
       (select string_agg(distinct sender, ', ') from slipped)
