-- What no longer holds.
update ops.alert a
set ended_at = %(now)s
where a.ended_at is null and not a.kind = any (%(moments)s)
  and not exists (select from _alert n where n.kind = a.kind and n.about = a.about)
