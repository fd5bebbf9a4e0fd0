-- Each file of the inbox with the answer that it got, in the form that pipelines.sample.compare takes.
select d.origin as path, coalesce(u.state, d.state) as state, u.rows_accepted, u.rows_quarantined,
       array(
           select p ->> 'code' from jsonb_array_elements(d.problems || coalesce(u.problems, '[]')) p
           union
           select v.rule from staging.verdict v where v.assessment_no = u.assessment_no
       ) as codes,
       array(
           select jsonb_build_object('row', v.row, 'code', v.rule)
           from staging.verdict v
           where v.assessment_no = u.assessment_no and v.severity = 'error'
       ) as quarantined
from intake.delivery d
left join intake.submission u using (delivery_id)
