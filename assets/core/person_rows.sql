-- Rows of a dataset that speak of a person: under one of the person's keys, with one of the numbers, or linked to the person.
-- Parameters %(dataset)s, %(subjects)s; strong, weak = columns of numbers as arrays: those that name one person, and others.
-- A row without a readable key whose weaker number is in %(weak)s belongs to the person too.
with mine as (
    select o._assessment, o._sheet, o._row from staging.{name} o where {by_key}
    union
    select o._assessment, o._sheet, o._row from staging.{name} o where {strong} && %(subjects)s::bigint[]
    union
    select o._assessment, o._sheet, o._row
    from staging.{name} o
    where o._key is null and {weak} && %(weak)s::bigint[] and array_remove({strong}, null) = '{{}}'
    union
    select l.assessment_no, l.sheet, l.row
    from core.link l
    where l.dataset = %(dataset)s and l.publish_to is null and l.entity_id = any (%(subjects)s::bigint[])
)
select m._assessment as assessment_no, m._sheet as sheet, m._row as row, o._key as key, o._ok as ok, l.record, l.cured,
       array_remove({strong} || {weak}, null) as numbers
from mine m
join staging.{name} o using (_assessment, _sheet, _row)
left join core.link l on l.dataset = %(dataset)s and l.publish_to is null
    and l.assessment_no = m._assessment and l.sheet = m._sheet and l.row = m._row
order by 1, 2, 3
