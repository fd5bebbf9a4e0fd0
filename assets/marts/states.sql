-- The states of submissions as of this publish: what their standing says, and whether all their rows were fit. A row counts
-- as fit too where its errors were waived, or where only its key could not be read and its entity was found all the same.
with waived as (
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
)
update intake.submission u
set state = case s.standing
                when 'in_force' then case when a.rows_quarantined > coalesce(w.rows, 0) + s.cured then 'partly' else 'accepted' end
                else s.standing
            end,
    problems = (
        select coalesce(jsonb_agg(p), '[]') from jsonb_array_elements(u.problems) p where not jsonb_exists(p, 'standing')
    ) || (
        select coalesce(jsonb_agg(r || '{"standing": true}'), '[]') from jsonb_array_elements(s.reasons) r
    ),
    rows_accepted = a.rows_accepted + coalesce(w.rows, 0) + s.cured,
    rows_quarantined = a.rows_quarantined - coalesce(w.rows, 0) - s.cured,
    state_publish = %(publish)s
from core.standing s
join intake.assessment a using (assessment_no)
left join waived w using (assessment_no)
where u.submission_no = s.submission_no
  and s.publish_from = %(publish)s
  and s.publish_to is null
