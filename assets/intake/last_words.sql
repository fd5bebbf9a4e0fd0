-- The submission at each place (dataset, period, sender) that was received last and not replaced, repeated or withdrawn.
select distinct on (u.dataset, u.period, u.sender)
    u.submission_no, u.submission_id, u.delivery_id, u.dataset, u.period, u.sender, u.state, u.received_at, u.as_of,
    u.rows_read, u.rows_accepted, u.rows_quarantined, u.rows_set_aside, u.rows_flagged, u.state_publish,
    array(select distinct p ->> 'code' from jsonb_array_elements(u.problems) p order by 1) as codes
from unnest(%(datasets)s::text[], %(periods)s::text[], %(senders)s::text[]) w (dataset, period, sender)
join intake.submission u using (dataset, period, sender)
where u.state not in ('superseded', 'repeated', 'withdrawn')
order by u.dataset, u.period, u.sender, u.received_at desc, u.content desc, u.submission_id desc
