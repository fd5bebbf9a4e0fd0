-- The state of each sender and period of a dataset: what stands, else what is worst off among what was sent last.
select distinct on (u.sender, u.period) u.sender, u.period, u.period_first, u.state, u.submission_id, u.received_at
from intake.submission u
where u.dataset = %(dataset)s and u.period_first is not null and u.state <> 'superseded'
order by u.sender, u.period,
         array_position(array['accepted', 'partly', 'held', 'staged', 'received', 'rejected', 'withdrawn', 'repeated'], u.state),
         u.received_at desc
