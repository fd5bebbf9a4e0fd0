-- The accepted rows of the sender's last submission in force up to a period, in its own order.
select {columns}
from staging.{rows} r
where r._ok and r._assessment = (
    select s.assessment_no
    from core.standing s
    join intake.submission u using (submission_no)
    where s.publish_to is null and s.standing = 'in_force'
      and u.dataset = %(dataset)s and u.sender = %(sender)s and u.period_first <= %(first)s
    order by u.period_first desc, u.as_of desc, u.received_at desc, u.submission_no desc
    limit 1
)
order by r._sheet, r._row
