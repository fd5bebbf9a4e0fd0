-- By assessment: rows that are known though their key was not read, and rows that speak all the same. Parameter %(dataset)s.
select m.assessment_no,
       count(*) filter (where l.row is not null),
       count(*) filter (where case when o._key is null then l.cured else m.cured and not o._ok end)
from core.mention m
join staging.{name} o on o._assessment = m.assessment_no and o._sheet = m.sheet and o._row = m.row
left join core.link l
    on l.dataset = m.dataset and l.assessment_no = m.assessment_no and l.sheet = m.sheet and l.row = m.row and l.publish_to is null
    and l.record = l.entity_id
where m.dataset = %(dataset)s and m.publish_to is null
group by 1
