-- What was repaired in the rows that an assessment shares with its base, at the places that they have in it.
insert into staging.repair (assessment_no, sheet, row, column_name, rule, raw)
select %(number)s, r.sheet, r.row + coalesce((
    select s.shift from staging.shift s
    where s.assessment_no = %(number)s and s.sheet = r.sheet and s.first <= r.row order by s.first desc limit 1), 0),
    r.column_name, r.rule, r.raw
from staging.repair r
where r.assessment_no = %(base)s
  and not exists (select from staging.dropped d
                  where d.assessment_no = %(number)s and d.sheet = r.sheet and d.row = r.row)
