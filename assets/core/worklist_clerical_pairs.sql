-- Pairs of records that a person must decide, as readers see the warehouse: those of which there is least doubt first.
select distinct d.dataset, d.left_record, d.right_record, d.why, d.weight, d.fields
from core.doubt d
where d.right_record is not null
  and d.publish_from <= %(shows)s and (d.publish_to is null or d.publish_to > %(shows)s)
order by d.dataset, d.weight desc nulls last, d.left_record, d.right_record
