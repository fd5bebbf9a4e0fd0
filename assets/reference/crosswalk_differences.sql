-- Work list: where the statistics office's unit changes, as published, and the crosswalk of reference disagree. Empty as
-- long as nothing is published, since nothing was compared then.
select
    coalesce(f.old_code, r.old_code) as old_code,
    coalesce(r.old_name, o.name) as old_name,
    coalesce(f.new_code, r.new_code) as new_code,
    coalesce(r.new_name, n.name) as new_name,
    coalesce(n.province_code, f.province_code) as province_code,
    case
        when r.old_code is null then 'only_in_file'
        when f.old_code is null then 'only_in_reference'
        else 'kind_differs'
    end as difference,
    f.kind as kind_in_file,
    r.kind as kind_in_reference
from mart_v1.unit_changes f
full join core.unit_change r on r.old_code = f.old_code and r.new_code = f.new_code
left join core.unit n
    on n.code = coalesce(f.new_code, r.new_code) and n.level = 'commune' and n.valid_to is null
left join core.unit o
    on o.code = f.old_code and o.level = 'commune' and o.valid_to = coalesce(r.effective_date, f.effective_date)
where f.kind is distinct from r.kind and exists (select from mart_v1.unit_changes)
order by province_code, old_code, new_code
