-- The organisations that a sender may speak of on a day: those of its own commune, or all.
select distinct o.organization_code, o.organization_name
from mart_v1.organizations_history o
where o.valid_from <= %(day)s and (o.valid_to is null or o.valid_to > %(day)s)
  and (%(commune)s::text is null or o.commune_code = %(commune)s)
order by 1
