-- Hamlets (thôn) lie in communes and special zones, residential groups (tổ dân phố) in wards.
select
    v.entity_id,
    v.valid_from,
    (v.village_type = 'TDP') <> (u.type = 'PHUONG') as failed,
    jsonb_build_object('value', v.village_type, 'unit', u.name) as params
from core.villages v
join core.unit u on u.level = 'commune' and u.code = v.commune_code
    and u.valid_from <= v.valid_from and coalesce(u.valid_to, 'infinity') > v.valid_from
where v.publish_to is null and v.village_type is not null
