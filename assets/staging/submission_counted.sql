-- The counts of a submission, from its newest assessment.
update intake.submission u
set assessment_no = a.assessment_no, rows_read = %s, rows_accepted = a.rows_accepted, rows_quarantined = a.rows_quarantined,
    rows_set_aside = %s, set_aside = %s, rows_flagged = %s, problems = u.problems || %s
from intake.assessment a
where a.submission_no = u.submission_no and a.assessment_no = %s
