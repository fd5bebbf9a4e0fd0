-- A submission, or a whole delivery (dataset null), that cannot be taken, with what could be counted of its rows.
insert into intake.submission (
    submission_id, delivery_id, dataset, sender, period, period_first, period_last,
    received_at, sha256, content, file_name, state, problems, withdraws, rows_read, rows_set_aside, set_aside
)
values (
    %(submission_id)s, %(delivery_id)s, %(dataset)s, %(sender)s, %(period)s, %(period_first)s, %(period_last)s,
    %(received_at)s, %(sha256)s, %(content)s, %(file_name)s, 'rejected', %(problems)s, %(withdraws)s,
    %(rows)s, %(rows)s, %(set_aside)s
)
on conflict (submission_id) do update set state = 'rejected', problems = excluded.problems
