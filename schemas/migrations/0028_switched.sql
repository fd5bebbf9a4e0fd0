-- That reminders are sent, or no longer, is a decision like others: in the audit log, and compared with it.
create or replace view ops.decided as
select 'decision' as source, d.decision_id as number, d.decided_at as at, d.decided_by as who, d.kind as action, u.dataset,
       jsonb_build_object('submission', d.submission_id, 'predecessor', d.predecessor, 'rule', d.rule, 'sheet', d.sheet, 'row', d.row)
           as details, encode(sha256(convert_to(d.reason, 'UTF8')), 'hex') as reason_sha256
from intake.decision d
left join intake.submission u using (submission_id)
union all
select 'closing', c.closing_no, c.decided_at, c.decided_by, c.kind, c.dataset,
       jsonb_build_object('period', c.period, 'publish', c.publish), encode(sha256(convert_to(c.reason, 'UTF8')), 'hex')
from intake.closing c
union all
select 'filed', f.number, f.decided_at, f.decided_by, f.kind, f.dataset,
       f.about || jsonb_build_object('filed_in', u.submission_id, 'sheet', f.sheet, 'row', f.row, 'because', f.because,
                                     'publish', f.publish), f.reason_sha256
from intake.filed_decision f
join intake.submission u using (submission_no)
union all
select 'switch', s.switch_id, s.at, s.who, case when s.sending then 'reminders on' else 'reminders off' end, null, '{}',
       encode(sha256(convert_to(s.reason, 'UTF8')), 'hex')
from ops.reminder_switch s;

create trigger audited after insert on ops.reminder_switch
    for each row execute function ops.audit_decided('switch', 'switch_id');

select ops.log_decided(d) from ops.decided d where d.source = 'switch' order by d.number;
