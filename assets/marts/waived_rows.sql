-- Rows with errors that were waived, by assessment in force.
select v.assessment_no, count(*) as rows
from (
    select v.assessment_no, v.sheet, v.row
    from core.standing s
    join intake.submission u using (submission_no)
    join staging.verdict v on v.assessment_no = s.assessment_no and v.severity = 'error'
    where s.publish_to is null and s.waivers > 0
    group by v.assessment_no, v.sheet, v.row
    having bool_and(exists (
        select from intake.decision d join intake.submission du using (submission_id)
        where d.kind = 'waive' and du.assessment_no = v.assessment_no
          and d.sheet = v.sheet and d.row = v.row and d.rule = v.rule))
) v
group by v.assessment_no
