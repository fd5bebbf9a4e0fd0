-- The open decisions about pairs of records of a dataset. A pair is one entity whichever way round it was sent, so that its open
-- version is the last word.
select least(d.left_record::bigint, d.right_record::bigint), greatest(d.left_record::bigint, d.right_record::bigint),
       d.decision = 'SAME'
from core.identity_decisions d
where d.dataset = %(dataset)s and d.publish_to is null and d.valid_to is null and d.decision is not null
order by 1, 2
