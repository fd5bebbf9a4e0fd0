-- Sums of hidden cells that a release told for the first time; each as the text of an array.
insert into ops.open_sum (release, relation, terms)
select %(release)s, %(relation)s, t.terms::bigint[]
from unnest(%(terms)s::text[]) t (terms)
