-- From which day on a publish says anything else of a dataset than the last: where a version begins or ends that there was not,
-- or where the end of one moved. code = what the rows are told apart by, said = what a row says of each of its days.
with opened as (
    select {code} as code, entity_id, valid_from, valid_to, {said} as said from core.{name} where publish_from = %(publish)s
),
closed as (
    select {code} as code, entity_id, valid_from, valid_to, {said} as said from core.{name} where publish_to = %(publish)s
)
select coalesce(o.code, c.code) as code,
       min(case when o.said = c.said then least(o.valid_to, c.valid_to) else coalesce(o.valid_from, c.valid_from) end) as day
from opened o
full join closed c on c.entity_id = o.entity_id and c.valid_from = o.valid_from and c.said = o.said
group by 1
