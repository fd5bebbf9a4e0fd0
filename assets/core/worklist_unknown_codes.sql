-- Values in submissions in force that no code list and no list of units knows, with who sends them; as readers see the warehouse.
-- A column may read the cells of another (sameAs): %(datasets)s, %(columns)s and %(sources)s say which.
with faults as (
    select distinct s.dataset, v.column_name, v.rule, q.raw ->> coalesce(c.source, v.column_name) as value, u.sender,
           u.submission_id, v.sheet, v.row, v.address, u.received_at
    from core.standing s
    join intake.submission u using (submission_no)
    join staging.verdict v on v.assessment_no = s.assessment_no and v.severity = 'error'
    join staging.quarantine q on q.assessment_no = v.assessment_no and q.sheet = v.sheet and q.row = v.row
    left join unnest(%(datasets)s::text[], %(columns)s::text[], %(sources)s::text[]) as c (dataset, name, source)
        on c.dataset = s.dataset and c.name = v.column_name
    where s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
      and s.standing = 'in_force' and v.rule in ('NOT_IN_LIST', 'UNKNOWN_UNIT', 'AMBIGUOUS_UNIT')
)
select dataset, column_name, rule, value, count(*) as rows, array_agg(distinct sender order by sender) as senders,
       count(distinct submission_id) as submissions,
       (array_agg(submission_id order by received_at desc, submission_id, sheet, row))[1] as submission_id,
       (array_agg(address order by received_at desc, submission_id, sheet, row))[1] as address
from faults
group by dataset, column_name, rule, value
order by count(*) desc, dataset, column_name, rule, value collate "C"
