-- The names of each record with a readable key, from its fit rows, or from the others where it has none; the submissions that name
-- it, and where it was first received. Rows of whom the key is not (renamed: assessment, sheet, row, entity) count for the entity.
-- Parameters %(assessments)s, %(homes)s, %(sheets)s, %(rows)s, %(entities)s.
with renamed as (
    select * from unnest(%(homes)s::bigint[], %(sheets)s::smallint[], %(rows)s::integer[], %(entities)s::bigint[])
        as r (home, sheet, row, entity_id)
),
seen as (
    select coalesce(r.entity_id, o._key) as record, r.entity_id is not null as other, o._ok, u.submission_no,
           row (u.received_at, u.content, o._sheet, o._row)::text as received, {roles}
    from staging.{rows} o
    join intake.assessment a on a.assessment_no = o._assessment
    join intake.submission u on u.submission_no = a.submission_no
    left join renamed r on r.home = o._home and r.sheet = o._sheet and r.row = o._home_row
    where o._assessment = any (%(assessments)s::bigint[]) and o._key is not null and u.sender <> 'STEWARD'
),
named as (
    select record, array_agg(distinct submission_no) as lists, min(received) as first, bool_or(_ok and not other) as fit
    from seen
    group by record
)
select distinct n.record, n.lists, n.first, s.name, s.commune, s.type, s.parent, s.code
from named n
join seen s on s.record = n.record and not s.other and (s._ok or not n.fit)
order by n.first, n.record
