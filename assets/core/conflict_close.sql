-- End in system time the conflicts of the touched entities that are no longer so.
update core.conflict c
set publish_to = %(publish)s
from _touched t
where c.dataset = %(dataset)s and c.entity_id = t.entity_id and c.publish_to is null{closing}
  and not exists (
      select from _conflict d
      where d.entity_id = c.entity_id and d.attribute = c.attribute and d.valid_from = c.valid_from
        and d.valid_to is not distinct from c.valid_to and d.chosen = c.chosen and d.others = c.others
        and d.rule = c.rule and d.since = c.since
  )
