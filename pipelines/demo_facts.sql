-- What the warehouse holds of organisations, staff, posts and successions, in the form that pipelines.sample.compare takes.
-- Numbers of persons come from the vault: of invented people, and this is their steward's command.
select 'organizations' as dataset, array[organization_code] as key, array[organization_name, organization_type] as values,
       valid_from, valid_to
from mart_v1.organizations_history
union all
select 'staff', array[i.value], array[s.commune_code, s.organization_code || '/' || s.position], s.valid_from, s.valid_to
from core.staff s
join vault.identifier i on i.subject = s.citizen_id
where s.publish_to is null
union all
select 'assignments', array[i.value, a.organization_code], array[a.post], a.valid_from, a.valid_to
from mart_v1.assignments_history a
join vault.identifier i on i.subject = a.person_id
union all
select 'successions', array[p.commune_code, s.predecessor, h.village_name], array[s.kind], s.effective_date, null
from mart_v1.successions s
join (select distinct village_id, village_name, commune_code from mart_v1.villages_history) h on h.village_id = s.successor_id
join (select distinct village_id, commune_code from mart_v1.villages_history) p on p.village_id = s.predecessor_id
where s.dataset = 'villages'
union all
select 'successions', array['', s.predecessor, h.organization_code], array[s.kind], s.effective_date, null
from mart_v1.successions s
join (select distinct organization_id, organization_code from mart_v1.organizations_history) h
    on h.organization_id = s.successor_id
where s.dataset = 'organizations' and s.predecessor_id is not null
