-- Whose rows have a number in a column. Parameters %(dataset)s, %(subjects)s; whose = the subject of the person of a row.
select distinct {whose}
from staging.{name} o
left join core.link l on l.dataset = %(dataset)s and l.publish_to is null
    and l.assessment_no = o._assessment and l.sheet = o._sheet and l.row = o._row
where o.{column} = any (%(subjects)s::bigint[]) and {whose} is not null
