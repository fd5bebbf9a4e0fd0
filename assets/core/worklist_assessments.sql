-- What is staged of a dataset and not taken back, as readers see the warehouse: where a record may stand. Parameter %(dataset)s.
select s.assessment_no
from core.standing s
where s.dataset = %(dataset)s and s.standing <> 'withdrawn'
  and s.publish_from <= %(shows)s and (s.publish_to is null or s.publish_to > %(shows)s)
