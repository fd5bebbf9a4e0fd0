-- What each sender says on a day of every column, in the column's order: the first of those with given is the one that stands.
select u.attribute, u.given, u.form, u.keys, u.rules, w._n
from _word w
cross join lateral (values
    {said_all}
) u (attribute, value, form, given, keys, rules)
where w._at <= %(day)s and (w._until is null or w._until > %(day)s)
order by u.attribute, u.keys, w._n
