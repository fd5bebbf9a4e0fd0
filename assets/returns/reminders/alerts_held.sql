-- What holds: submissions that wait for a decision, rules that could not run, letters that do not go; and secrets, which happened.
insert into _alert
select case when c.check_id is null then 'HELD' else 'COULD_NOT_RUN' end,
       u.submission_id || coalesce(' ' || c.check_id, ''),
       jsonb_build_object('submission', u.submission_id, 'dataset', u.dataset, 'sender', u.sender, 'period', u.period, 'rule', c.check_id)
from intake.submission u
left join staging.check_result c on c.assessment_no = u.assessment_no and c.status = 'could_not_run'
where u.state = 'held'
union all
select 'SECRET', d.delivery_id, jsonb_build_object('delivery', d.delivery_id, 'sender', d.sender)
from intake.delivery d
where d.withheld = 'SECRET_MARKING'
union all
select 'SOURCE_DOWN', p.source, jsonb_build_object('source', p.source, 'why', coalesce(p.fault, 'LOST'))
from (select distinct on (source) * from ops.source_pull where outcome <> 'running' order by source, pull_id desc) p
where p.outcome in ('failed', 'lost')
union all
-- where backups are made at all; the last is the one made last, for a clock that was ahead gives a backup a time to come
select 'BACKUP_OLD', 'backup', jsonb_build_object('day', to_char(b.made_at at time zone 'Asia/Ho_Chi_Minh', 'DD/MM/YYYY'))
from (select made_at from ops.backup order by backup_id desc limit 1) b
where b.made_at < %(now)s - interval '2 days' or b.made_at > %(now)s + interval '2 days'
union all
select 'REMINDER_FAILED', l.responsible, jsonb_build_object('sender', l.responsible, 'why', max(l.error))
from ops.letter l
where l.state = 'failed' or (l.state = 'refused' and l.day >= (select max(day) - 7 from ops.letter))
group by l.responsible
