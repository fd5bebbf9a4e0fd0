-- What a submission in force replaced within its own period: its quarantined rows may lean on it.
create temporary table _shadow on commit drop as
select s.assessment_no, f.seq as successor, f.period_first,
       row_number() over (partition by f.seq order by u.received_at, u.content, u.submission_id) as seq
from core.standing s
join intake.submission u using (submission_no)
join _force f on f.sender = u.sender and f.period_first = u.period_first and f.period_last = u.period_last
where s.dataset = %(dataset)s and s.publish_to is null and s.standing = 'superseded'
