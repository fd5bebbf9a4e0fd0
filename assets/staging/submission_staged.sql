-- A submission that was read: its state is 'staged' until a publish says what it stands for. A replay takes it up again.
insert into intake.submission (
    submission_id, delivery_id, dataset, sender, period, period_first, period_last, as_of, as_of_source,
    received_at, sha256, content, file_name, state, problems, withdraws
)
values (
    %(submission_id)s, %(delivery_id)s, %(dataset)s, %(sender)s, %(period)s, %(period_first)s, %(period_last)s,
    %(as_of)s, %(as_of_source)s, %(received_at)s, %(sha256)s, %(content)s, %(file_name)s, 'staged', %(problems)s, %(withdraws)s
)
on conflict (submission_id) do update
set state = 'staged', problems = excluded.problems, as_of = excluded.as_of, as_of_source = excluded.as_of_source,
    period = excluded.period, period_first = excluded.period_first, period_last = excluded.period_last
returning submission_no
