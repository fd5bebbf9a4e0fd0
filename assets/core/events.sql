-- What the submissions in force say about the touched entities.
--
-- Reads _touched (entity_id), _force (what is in force), _shadow (what that replaced within its own period) and _waived
-- (rows whose every error was waived). State V = a value is asserted, P = present, but the row is in quarantine.
-- rows = the dataset's rows view; valid_from, valid_to = the row's own validity where it carries one, else null.
create temporary table _event on commit drop as
with observed as (
    select r._key as entity_id, f.sender, f.as_of, f.seq::numeric as seq,
           case when r._ok or w.row is not null then 'V' else 'P' end as state,
           r._home as home, r._sheet as sheet, r._home_row as row, r._value as value,
           ({valid_from})::date as vf, ({valid_to})::date as vt
    from _touched t
    join staging.{rows} r on r._key = t.entity_id
    join _force f on f.assessment_no = r._assessment
    left join _waived w on w.assessment_no = r._assessment and w.sheet = r._sheet and w.row = r._row
    -- of rows that contradict each other one may have been chosen: then the others say nothing
    where r._ok or w.row is not null or not exists (
        select from _waived x join staging.quarantine q using (assessment_no, sheet, row)
        where x.assessment_no = r._assessment and q.key = r._key)
)
select * from observed
union all
-- A quarantined row leans on the value that its own period had before: damage to a correction must not undo the original.
(select distinct on (o.entity_id, o.seq)
        o.entity_id, o.sender, o.as_of, o.seq - 0.5, 'V', r._home, r._sheet, r._home_row, r._value,
        ({valid_from})::date, ({valid_to})::date
 from observed o
 join _force f on f.seq = o.seq
 join _shadow s on s.successor = o.seq
 join staging.{rows} r on r._assessment = s.assessment_no and r._key = o.entity_id and r._ok
 where o.state = 'P'
 order by o.entity_id, o.seq, s.seq desc)
