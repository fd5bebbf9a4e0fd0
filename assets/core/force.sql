-- What is in force in a dataset now (the open standings), numbered in the order of receipt.
create temporary table _force on commit drop as
select s.submission_no, s.assessment_no, s.ends_nobody, s.waivers, u.sender, u.as_of, u.period_first, u.period_last,
       row_number() over (order by u.received_at, u.content, u.submission_id) as seq
from core.standing s
join intake.submission u using (submission_no)
where s.dataset = %(dataset)s and s.publish_to is null and s.standing = 'in_force'
