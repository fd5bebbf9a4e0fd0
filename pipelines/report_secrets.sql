-- Deliveries refused for a secret marking. `kept`: submissions of the same bytes that came without one and are in the archive.
select d.delivery_id, u.submission_id, d.sender, s.name as sender_name, d.period, d.received_at, d.size, d.sha256,
       array(
           select v.submission_id
           from intake.delivery e
           join intake.submission v using (delivery_id)
           where e.sha256 = d.sha256 and e.withheld is null and e.destroyed_at is null
           order by 1
       ) as kept
from intake.delivery d
left join intake.submission u using (delivery_id)
left join core.sender s on s.code = d.sender
where d.withheld = 'SECRET_MARKING' and (%(ids)s::text[] is null or d.delivery_id = any (%(ids)s))
order by d.received_at desc, d.delivery_id
