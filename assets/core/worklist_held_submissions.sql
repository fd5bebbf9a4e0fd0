-- Submissions that wait for a decision, as readers see the warehouse; those that were refused wait for nobody. `mended`: the sender
-- has sent something for the same period since that stands.
select u.submission_id, p.submission_id as predecessor, u.dataset, u.sender, n.name as sender_name, u.period, u.as_of,
       u.received_at, b.published_at as held_since, u.file_name, s.reasons,
       exists (
           select from core.standing o
           join intake.submission v on v.submission_no = o.submission_no
           where o.publish_from <= %(shows)s and (o.publish_to is null or o.publish_to > %(shows)s)
             and o.dataset = s.dataset and o.standing = 'in_force' and v.sender = u.sender and v.period_first = u.period_first
             and v.received_at > u.received_at
       ) as mended
from core.standing s
join intake.submission u using (submission_no)
join core.publish b on b.number = s.publish_from
left join intake.submission p on p.submission_no = s.predecessor_no
left join core.sender n on n.code = u.sender
where s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
  and s.standing = 'held' and not s.reasons @> '[{"code": "REFUSED"}]'
order by u.dataset, u.sender, u.period_first, u.received_at, u.submission_id
