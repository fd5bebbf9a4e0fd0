-- Columns of a view with the names of their types, in their order; of an array the type of its elements with [] behind.
select a.attname, case when t.typcategory = 'A' then e.typname || '[]' else t.typname end
from pg_catalog.pg_attribute a
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_type e on e.oid = t.typelem
where a.attrelid = %(view)s and a.attnum > 0 and not a.attisdropped
order by a.attnum
