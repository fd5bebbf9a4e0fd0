-- Rows in force whose every error has been waived.
create temporary table _waived on commit drop as
select v.assessment_no, v.sheet, v.row
from _force f
join intake.submission u on u.submission_no = f.submission_no
join intake.decision w on w.submission_id = u.submission_id and w.kind = 'waive'
join staging.verdict v on v.assessment_no = f.assessment_no and v.sheet = w.sheet and v.row = w.row and v.severity = 'error'
group by v.assessment_no, v.sheet, v.row
having bool_and(exists (
    select from intake.decision d
    where d.kind = 'waive' and d.submission_id = any (
              select u2.submission_id from _force f2 join intake.submission u2 using (submission_no)
              where f2.assessment_no = v.assessment_no)
      and d.sheet = v.sheet and d.row = v.row and d.rule = v.rule))
