-- Rows in quarantine for want of a readable key, in submissions in force, that no entity answers to; as readers see
-- the warehouse. `raw` holds masks where the contract keeps values in the vault. Parameter %(datasets)s: those with an identity.
select u.submission_id, u.dataset, u.sender, n.name as sender_name, u.period, u.file_name, q.sheet as sheet_no,
       coalesce((select l ->> 'name' from jsonb_array_elements(a.layout) l where (l ->> 'sheet')::int = q.sheet limit 1), '') as sheet,
       q.row, coalesce(v.address, q.row::text) as address, coalesce(v.wrong, '[]') as wrong, q.raw, q.assessment_no
from core.standing s
join intake.submission u using (submission_no)
join intake.assessment a on a.assessment_no = s.assessment_no
join staging.quarantine q on q.assessment_no = s.assessment_no and q.key is null
left join core.sender n on n.code = u.sender
left join lateral (
    select jsonb_agg(distinct jsonb_build_object('rule', e.rule, 'column', e.column_name, 'address', e.address)) as wrong,
           min(e.address) filter (where k.column_name is not null) as address
    from staging.verdict e
    left join unnest(%(keyed)s::text[], %(keys)s::text[]) as k (dataset, column_name)
        on k.dataset = u.dataset and k.column_name = e.column_name
    where e.assessment_no = q.assessment_no and e.sheet = q.sheet and e.row = q.row and e.severity = 'error'
) v on true
where s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
  and s.standing = 'in_force' and s.dataset = any (%(datasets)s::text[])
  and not exists (
      select from core.link l
      where l.assessment_no = q.assessment_no and l.sheet = q.sheet and l.row = q.row
        and l.publish_from <= %(shows)s and (l.publish_to is null or l.publish_to > %(shows)s)
  )
order by u.dataset, u.sender, u.period_first, u.received_at, u.submission_id, q.sheet, q.row
