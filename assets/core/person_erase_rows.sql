-- Empty the rows of a person: their places, their keys (a random number, or a hash of it) and what was said of each stay, for counts
-- and absences must stay what they were. Parameters as in person_others.sql; nothing = the contract's columns set to null.
--
-- A row that was linked to the person has the person's key from now on: it was present, and stays so.
with mine as (
    select m.a, m.s, m.r, l.cured, l.entity_id
    from unnest(%(assessments)s::bigint[], %(sheets)s::smallint[], %(rows)s::integer[]) as m (a, s, r)
    left join core.link l on l.dataset = %(dataset)s and l.publish_to is null
        and l.assessment_no = m.a and l.sheet = m.s and l.row = m.r
),
emptied as (
    update staging.{name} o
    set {nothing}, _value = 0, _key = coalesce(o._key, m.entity_id), _ok = o._ok or coalesce(m.cured, false)
    from mine m
    where o._assessment = m.a and o._sheet = m.s and o._row = m.r
),
counted as (
    update intake.assessment a
    set unkeyed = a.unkeyed - n.linked, rows_accepted = a.rows_accepted + n.cured, rows_quarantined = a.rows_quarantined - n.cured
    from (
        select m.a as assessment_no, count(*) filter (where m.cured is not null) as linked, count(*) filter (where m.cured) as cured
        from mine m group by m.a
    ) n
    where a.assessment_no = n.assessment_no and n.linked > 0
),
unheld as (
    delete from staging.quarantine q using mine m
    where q.assessment_no = m.a and q.sheet = m.s and q.row = m.r and m.cured
),
held as (
    update staging.quarantine q set raw = '{{}}' from mine m
    where q.assessment_no = m.a and q.sheet = m.s and q.row = m.r and m.cured is not true
),
unsaid as (
    delete from staging.verdict v using mine m
    where v.assessment_no = m.a and v.sheet = m.s and v.row = m.r and m.cured
),
said as (
    update staging.verdict v set params = '{{}}' from mine m
    where v.assessment_no = m.a and v.sheet = m.s and v.row = m.r and m.cured is not true and v.params <> '{{}}'
)
delete from staging.repair p using mine m
where p.assessment_no = m.a and p.sheet = m.s and p.row = m.r
