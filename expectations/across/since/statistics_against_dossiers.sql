-- From which day on dossiers are said to have been received, closed or overdue otherwise than in the last publish: of what only moves
-- its end, from the first of the two on. Parameter: publish.
with opened as (
    select * from core.dossiers where publish_from = %(publish)s and valid_to is null
),
closed as (
    select * from core.dossiers where publish_to = %(publish)s and valid_to is null
)
select min(
    case
        when (o.organization_code, o.procedure_code, o.service_level, o.received_on, o.due_on, o.channel, o.digitised)
            is not distinct from (c.organization_code, c.procedure_code, c.service_level, c.received_on, c.due_on, c.channel, c.digitised)
        then least(o.finished_on, o.withdrawn_on, c.finished_on, c.withdrawn_on)
        else least(o.received_on, c.received_on)
    end
)
from opened o
full join closed c using (entity_id)
