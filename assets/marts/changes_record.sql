-- What readers see otherwise after a publish ({after}) than before it ({before}), of the rows that the publishes between the two touched.
-- What differs only in columns that they do not see is no change.
insert into core.change (publish, sequence, dataset, entity_id, operation, valid_from, valid_to)
select %(publish)s, %(recorded)s + row_number() over (), %(dataset)s, t.entity_id,
       case when _old._entity is null then 'insert' when _new._entity is null then 'delete' else 'update' end,
       t.since, case when _new._entity is null then _old._to else _new._to end
from {touched}({low}, {high}) t
left join {at}({before}) _old on _old._entity = t.entity_id and _old._from = t.since
left join {at}({after}) _new on _new._entity = t.entity_id and _new._from = t.since
where row(_old.*) is distinct from row(_new.*)
