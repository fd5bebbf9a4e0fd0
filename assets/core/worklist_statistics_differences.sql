-- Statistics that the dossiers do not bear out, as readers see the warehouse: what the rule statistics_against_dossiers has found.
select
    f.dataset, f.entity_id, s.organization_code, s.procedure_code, s.valid_from, s.valid_to,
    f.params ->> 'differences' as differences, f.publish_from as since
from core.finding f
join core.service_statistics s on s.entity_id = f.entity_id and s.valid_from = f.valid_from
    and s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
where f.dataset = 'service_statistics' and f.rule = any (%(rules)s)
  and f.publish_from <= %(shows)s and (f.publish_to is null or f.publish_to > %(shows)s)
order by s.valid_from, s.organization_code, s.procedure_code, f.entity_id
