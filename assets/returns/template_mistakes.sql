-- What was wrong most often with cells of a dataset in the year before a period, whoever sent them.
select v.column_name, v.rule
from staging.verdict v
join intake.submission u using (assessment_no)
where u.dataset = %(dataset)s and u.period_first between %(first)s - 366 and %(first)s
  and v.severity = 'error' and v.column_name is not null
group by 1, 2
order by count(*) desc, 1, 2
limit 5
