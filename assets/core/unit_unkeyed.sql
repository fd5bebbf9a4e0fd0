-- Rows in quarantine that have no readable key; cured = nothing is wrong with them but their key, or a cell of which it is known
-- what it names; told = what is wrong with the key is of a kind that leaves the rest of the row as it was sent (not where columns
-- have shifted). own = the commune of the sender; at_home = an old commune, or one of several, of which the sender's may be one.
-- Parameters %(assessments)s, %(keys)s (names of the key columns), %(curable)s (codes), %(units)s (codes of a commune not resolved).
select u.sender, s.commune_code as own, o._assessment as assessment_no, o._sheet as sheet, o._row as row,
       u.submission_no as submission, coalesce(v.cured, false) as cured, coalesce(v.at_home, false) as at_home,
       coalesce(v.told, false) as told, {roles}
from staging.{name} o
join intake.assessment a on a.assessment_no = o._assessment
join intake.submission u on u.submission_no = a.submission_no
left join core.sender s on s.code = u.sender
cross join lateral (
    select bool_and(e.column_name <> all (%(keys)s::text[]) or e.rule = any (%(curable)s::text[]) or e.home) as told,
           bool_and(
               (e.column_name = any (%(keys)s::text[]) and (e.rule = any (%(curable)s::text[]) or e.home))
               or exists (select from core.mention m where m.assessment_no = o._assessment and m.sheet = o._sheet
                          and m.row = o._row and m.column_name = e.column_name and m.publish_to is null)
           ) as cured,
           bool_or(e.home) as at_home
    from (
        select column_name, rule,
               rule = any (%(units)s::text[]) and s.commune_code is not null
                   and position(s.commune_code in coalesce(params ->> 'detail', '')) > 0 as home
        from staging.verdict
        where assessment_no = o._assessment and sheet = o._sheet and row = o._row and severity = 'error'
    ) e
) v
where o._assessment = any (%(assessments)s::bigint[]) and o._key is null and not o._ok and u.sender <> 'STEWARD'
order by u.received_at, u.content, o._sheet, o._row
