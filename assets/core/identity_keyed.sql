-- One row for each record with a readable key: what its latest fit row says, and the submissions that name it. In the order
-- in which records were first received. Parameters %(assessments)s, %(dataset)s. Not of who was erased: there is nothing to compare.
with seen as (
    select o._key, o._ok, u.submission_no, u.as_of, u.received_at, u.content, o._sheet, o._row, {roles}
    from staging.{name} o
    join intake.assessment a on a.assessment_no = o._assessment
    join intake.submission u on u.submission_no = a.submission_no
    where o._assessment = any (%(assessments)s::bigint[]) and o._key is not null and u.sender <> 'STEWARD'
      and not exists (select from ops.erased_entity e where e.dataset = %(dataset)s and e.entity_id = o._key)
),
latest as (
    select distinct on (_key) *
    from seen
    order by _key, _ok desc, as_of desc, received_at desc, content desc, _sheet, _row
),
named as (
    select _key, array_agg(distinct submission_no) as lists, min(row (received_at, content, _sheet, _row)::text) as first
    from seen
    group by _key
)
select l._key as record, n.lists, l.name, l.born, l.sex, l.id, l.claimed, l.card, l.commune, l.agency
from latest l
join named n using (_key)
order by n.first, l._key
