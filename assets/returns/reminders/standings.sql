-- Reminders that count, by who is responsible and the year of the day that was missed.
select r.responsible, s.name, extract(year from r.due_on)::int as year, count(*)::int as number
from ops.reminder r
join ops.letter l using (letter_id)
left join core.sender s on s.code = r.responsible
where r.counted and l.state in ('sending', 'sent') and (%(year)s::int is null or extract(year from r.due_on) = %(year)s)
group by 1, 2, 3
order by year desc, number desc, responsible
