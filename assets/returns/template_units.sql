-- The communes that a sender may speak of on a day: by name, by code where a name is not the only one.
select case when count(*) over (partition by u.name) = 1 then u.name else u.code end, u.code || ' ' || u.name
from core.unit u
where u.level = 'commune' and u.province_code = %(province)s
  and u.valid_from <= %(day)s and (u.valid_to is null or u.valid_to > %(day)s)
  and (%(commune)s::text is null or u.code = %(commune)s)
order by u.code
