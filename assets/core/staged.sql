-- Every staged submission of a dataset as the fold of assets.core.standing sees it.
select u.submission_no, u.submission_id, u.sender, u.period, u.period_first, u.period_last, u.as_of, u.received_at, u.content,
       u.assessment_no, a.rows_accepted, a.rows_quarantined, a.unkeyed,
       coalesce((u.set_aside ->> 'OUT_OF_SCOPE')::bigint, 0),
       array(select c.check_id from staging.check_result c
             where c.assessment_no = u.assessment_no and c.status = 'could_not_run' order by c.check_id),
       u.problems @> '[{"code": "TOTAL_DIFFERS"}]', u.withdraws,
       (select count(*) from intake.decision d where d.submission_id = u.submission_id and d.kind = 'waive'),
       u.withdraws is not null and u.rows_read = 0 and exists (
           select from intake.delivery d
           where d.delivery_id = u.delivery_id and coalesce(d.sidecar ->> 'nothing_to_report', 'false') = 'false'),
       k.closed_at
from intake.submission u
join intake.assessment a using (assessment_no)
left join ops.close k on k.dataset = u.dataset and k.period = u.period
where u.dataset = %(dataset)s and u.state not in ('received', 'rejected')
