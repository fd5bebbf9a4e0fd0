-- Holders of posts in communes of whom it is said that they are not local, though their home lies in the commune, or that they are,
-- though it lies in another province. A hint for those who decide, never more: the criteria are theirs (domain brief, 4).
select
    a.entity_id,
    a.valid_from,
    case a.local_origin when 'KHONG' then s.home_commune_code = o.commune_code else h.province_code <> u.province_code end
        as failed,
    jsonb_build_object('organization', a.organization_code) as params
from core.assignments a
join core.organizations o on o.organization_code = a.organization_code and o.publish_to is null
    and o.valid_from <= a.valid_from and coalesce(o.valid_to, 'infinity') > a.valid_from
left join core.member m on m.dataset = 'staff' and m.record = a.citizen_id and m.publish_to is null
join (
    select distinct on (entity_id) entity_id, home_commune_code
    from core.staff
    where publish_to is null and home_commune_code is not null
    order by entity_id, valid_from desc
) s on s.entity_id = coalesce(m.entity_id, a.citizen_id)
join (select distinct on (code) code, province_code from core.unit where level = 'commune' order by code, valid_from desc) h
    on h.code = s.home_commune_code
join (select distinct on (code) code, province_code from core.unit where level = 'commune' order by code, valid_from desc) u
    on u.code = o.commune_code
where a.publish_to is null and a.local_origin in ('CO', 'KHONG')
