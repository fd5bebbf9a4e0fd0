-- What was closed, with what has come since. Values are compared between what was shown at the close and what is shown now.
select k.dataset, k.period, k.times, k.closed_at, k.reopened_at, k.reason, k.decided_by, k.publish, coalesce(h.held, 0) as held,
       coalesce(f.changed, 0) as figures_changed
from ops.close k
left join lateral (
    select count(*) as held
    from intake.submission u
    join core.standing s on s.submission_no = u.submission_no and s.publish_to is null and s.standing = 'held'
    where u.dataset = k.dataset and u.period = k.period and s.reasons @> '[{"code": "PERIOD_CLOSED"}]'
) h on true
left join lateral (
    select count(*) as changed
    from (select v.* from core.indicator i join core.indicator_value v on v.indicator = i.code and v.period = k.period
          where k.dataset = any (i.reads) and v.publish_from <= k.publish and (v.publish_to is null or v.publish_to > k.publish)) b
    full join (select v.* from core.indicator i join core.indicator_value v on v.indicator = i.code and v.period = k.period
               cross join core.pointer p
               where k.dataset = any (i.reads) and v.publish_from <= p.shows and (v.publish_to is null or v.publish_to > p.shows)) n
    using (indicator, variant, unit_kind, unit)
    where k.closed_at is not null and (b.value, b.numerator, b.denominator) is distinct from (n.value, n.numerator, n.denominator)
) f on true
order by k.period desc, k.dataset
