-- The open decisions about held submissions of a dataset, as those of the ledger: kind, submission, predecessor (null: there was
-- none), and when it was received, since the later of two words counts, wherever either stands.
select case d.decision when 'ACCEPT' then 'accept' else 'refuse' end, d.submission, nullif(d.predecessor, 'KHONG_CO'),
       (select max(f.received_at)
        from staging.hold_decisions_rows r
        join core.standing s on s.assessment_no = r._assessment and s.publish_to is null and s.standing = 'in_force'
        join intake.submission f on f.submission_no = s.submission_no
        where r._key = d.entity_id and r.decision = d.decision)
from core.hold_decisions d
join intake.submission u on u.submission_id = d.submission
where u.dataset = %(dataset)s and d.publish_to is null and d.valid_to is null and d.decision is not null
order by d.submission, d.predecessor
