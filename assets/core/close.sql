-- End in system time what the touched entities no longer say. closing = of which days, where not of all.
update core.{name} c
set publish_to = %(publish)s
from _touched t
where c.entity_id = t.entity_id
  and c.publish_to is null{closing}
  and not exists (
      select from _desired d
      where d.entity_id = c.entity_id and d.valid_from = c.valid_from and d.valid_to is not distinct from c.valid_to
        and d.value_hash = c.value_hash and d.carried_since is not distinct from c.carried_since
  )
