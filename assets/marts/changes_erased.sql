-- What the feed has said of entities that were erased: that they were, and nothing more.
update core.change c
set operation = 'erase', valid_from = null, valid_to = null
from unnest(%(datasets)s::text[], %(entities)s::bigint[]) e (dataset, entity_id)
where c.dataset = e.dataset and c.entity_id = e.entity_id
