-- What is wrong in the rows of what stands, by kind: of a sender, or of all where the parameter sender is null.
select u.sender, u.dataset, u.period, v.rule, v.column_name, v.severity, count(*) as n, min(v.address) as address
from intake.submission u
join core.standing s on s.submission_no = u.submission_no and s.publish_to is null and s.standing in ('in_force', 'held')
join staging.verdict v on v.assessment_no = s.assessment_no
where %(sender)s::text is null or u.sender = %(sender)s
group by 1, 2, 3, 4, 5, 6
order by n desc, 1, 2, 3, 4, 5
