-- What the newest row of each record says, for the eyes of those who decide about it. A record is a key (%(keys)s) or, where the
-- key cannot be read, a row of its own (%(records)s with %(assessments)s, %(sheets)s, %(rows)s).
with force as (
    select s.assessment_no, u.submission_id, u.sender, u.period, u.as_of, u.received_at, u.content
    from core.standing s
    join intake.submission u using (submission_no)
    where s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
      and s.standing <> 'withdrawn' and s.dataset = %(dataset)s
),
said as (
    select r._key as record, r.*
    from staging.{table} r
    where r._key = any (%(keys)s::bigint[])
    union all
    select p.record, r.*
    from unnest(%(records)s::bigint[], %(assessments)s::bigint[], %(sheets)s::smallint[], %(rows)s::integer[])
        as p (record, assessment_no, sheet, row)
    join staging.{table} r on r._assessment = p.assessment_no and r._sheet = p.sheet and r._row = p.row
)
select distinct on (d.record) d.record, f.submission_id, f.sender, f.period, d._sheet as sheet_no, d._row as row, {values} as said
from said d
join force f on f.assessment_no = d._assessment
order by d.record, d._ok desc, f.as_of desc, f.received_at desc, f.content desc, d._sheet, d._row
