-- The successions that the warehouse holds, in the form that pipelines.sample.compare takes.
select 'successions' as dataset, array[p.commune_code, s.predecessor, h.village_name] as key, array[s.kind] as values,
       s.effective_date as valid_from, null::date as valid_to
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
