-- Nothing was seen of it before: every row is new.
insert into core.change (publish, sequence, dataset, entity_id, operation, valid_from, valid_to)
select %(publish)s, %(recorded)s + row_number() over (), %(dataset)s, _new._entity, 'insert', _new._from, _new._to
from {at}({after}) _new
