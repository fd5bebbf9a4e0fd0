-- Records that something in force speaks of, with their entity and the value of their key's last column; within the values of the
-- first column of the key, where it has several.
select distinct on (r._key) r._key, {record}, r.{last}, {scope}
from core.standing s
join staging.{rows} r on r._assessment = s.assessment_no
{members}
where s.dataset = %(dataset)s and s.publish_to is null and s.standing = 'in_force' and r._key is not null and {own}
  and ({first} is null or {first} = any (%(first)s::text[]))
order by r._key, r.{last}
