-- What people have to clear: errors of rows that stand in quarantine, by code and column.
select u.dataset, v.rule, v.column_name, count(distinct (v.assessment_no, v.sheet, v.row)) as rows,
       count(distinct u.submission_no) as submissions, min(u.submission_id) as example
from intake.submission u
join staging.verdict v on v.assessment_no = u.assessment_no and v.severity = 'error'
where u.state in ('partly', 'held')
  and not exists (
      select from intake.decision d
      where d.kind = 'waive' and d.submission_id = u.submission_id and d.sheet = v.sheet and d.row = v.row and d.rule = v.rule
  )
group by u.dataset, v.rule, v.column_name
order by rows desc, u.dataset, v.rule, v.column_name
