-- Who was due to send which period until when: the senders that a contract names, one by one or by their group, that there were on the
-- period's last day.
insert into _due
select d.dataset, s.code, d.period, d.first, d.last, d.day
from unnest(%(dataset)s::text[], %(period)s::text[], %(first)s::date[], %(last)s::date[], %(day)s::date[])
    d (dataset, period, first, last, day)
join unnest(%(of)s::text[], %(wanted)s::text[]) w (dataset, sender) using (dataset)
join core.sender s on w.sender in (s.code, 'any', case s.kind when 'commune' then 'communes' else 'departments' end)
where coalesce(s.valid_from <= d.last, true) and coalesce(s.valid_to > d.last, true)
group by 1, 2, 3, 4, 5, 6
