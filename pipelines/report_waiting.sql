-- Held and rejected submissions. `mended`: the sender has sent something for the same period since that stands.
select u.submission_id, u.dataset, u.sender, s.name as sender_name, u.period, u.received_at, u.file_name, d.origin,
       u.state, u.problems,
       exists (
           select from intake.submission v
           where v.sender = u.sender and v.state in ('accepted', 'partly', 'superseded')
             and v.period_first <= coalesce(u.period_first, v.period_first) and v.received_at > u.received_at
             and (v.period = u.period or v.period_first = u.period_first)
             and (u.dataset is null or v.dataset = u.dataset)
       ) as mended
from intake.submission u
join intake.delivery d using (delivery_id)
left join core.sender s on s.code = u.sender
where u.state in ('held', 'rejected')
order by u.state, u.received_at desc, u.submission_id
