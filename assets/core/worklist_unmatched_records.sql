-- Records that nobody answers to, as readers see the warehouse.
select d.dataset, d.left_record
from core.doubt d
where d.right_record is null and d.publish_from <= %(shows)s and (d.publish_to is null or d.publish_to > %(shows)s)
