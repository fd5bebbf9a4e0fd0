-- What the submissions in force say about the touched entities.
--
-- Reads _hit (rows of the touched entities), _force (what is in force), _shadow (what that replaced within its own period)
-- and _waived (rows whose every error was waived). State V = a value is asserted, P = present, but the row is in quarantine.
-- valid_from, valid_to = the row's own validity, or its period's, where the dataset has one, else null.
create temporary table _event on commit drop as
with observed as (
    select r.key as entity_id, f.sender, f.as_of, f.seq::numeric as seq,
           case when r.ok or w.row is not null then 'V' else 'P' end as state,
           r.home, r.sheet, r.row, r.value, ({valid_from})::date as vf, ({valid_to})::date as vt
    from _hit r
    join _force f using (assessment_no)
    left join _waived w
        on w.assessment_no = r.assessment_no and r.home = r.assessment_no and w.sheet = r.sheet and w.row = r.row
    -- of rows that contradict each other one may have been chosen: then the others say nothing
    where r.ok or w.row is not null or not exists (
        select from _waived x join staging.quarantine q using (assessment_no, sheet, row)
        where x.assessment_no = r.assessment_no and q.key = r.key)
)
select * from observed
union all
-- A quarantined row leans on the value that its own period had before: damage to a correction must not undo the original.
(select distinct on (o.entity_id, o.seq)
        o.entity_id, o.sender, o.as_of, o.seq - 0.5, 'V', r.home, r.sheet, r.row, r.value,
        ({valid_from})::date, ({valid_to})::date
 from observed o
 join _force f on f.seq = o.seq
 join _shadow s on s.successor = o.seq
 join _hit r on r.assessment_no = s.assessment_no and r.key = o.entity_id and r.ok
 where o.state = 'P'
 order by o.entity_id, o.seq, s.seq desc)
