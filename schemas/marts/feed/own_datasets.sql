-- What the feed of one's own has for the reader.
select f.dataset
from core.followed f
where (cardinality(f.own) > 0 and (select cardinality(ops.own_units())) > 0) or f.dataset = any ((select ops.own_datasets())::text[])
