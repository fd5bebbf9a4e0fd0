-- The states of submissions as of this publish: what their standing says, and whether all their rows were fit. A row counts
-- as fit too where its errors were waived, or where only its key could not be read and its entity was found all the same.
with waived as ({waived})
update intake.submission u
set state = case s.standing
                when 'in_force' then case when a.rows_quarantined > coalesce(w.rows, 0) + s.cured then 'partly' else 'accepted' end
                else s.standing
            end,
    problems = (
        select coalesce(jsonb_agg(p), '[]') from jsonb_array_elements(u.problems) p where not jsonb_exists(p, 'standing')
    ) || (
        select coalesce(jsonb_agg(r || '{{"standing": true}}'), '[]') from jsonb_array_elements(s.reasons) r
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
