-- The reminders of a letter that is about to be sent; what an earlier letter failed to say is said by this one.
insert into ops.reminder as r (sender, dataset, period, step, due_on, responsible, counted, number, level, letter_id)
select sender, dataset, period, step, due_on, %(responsible)s, counted, number, level, %(letter_id)s
from unnest(%(sender)s::text[], %(dataset)s::text[], %(period)s::text[], %(step)s::text[], %(due_on)s::date[], %(counted)s::boolean[],
            %(number)s::int[], %(level)s::int[])
    l (sender, dataset, period, step, due_on, counted, number, level)
on conflict (sender, dataset, period, step) do update
set (due_on, responsible, counted, number, level, letter_id)
  = (excluded.due_on, excluded.responsible, excluded.counted, excluded.number, excluded.level, excluded.letter_id)
