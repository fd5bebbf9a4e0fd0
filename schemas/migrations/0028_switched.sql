-- That reminders are sent, or no longer, is a decision like others: in the audit log, and compared with it.
create trigger audited after insert on ops.reminder_switch
    for each row execute function ops.audit_decided('switch', 'switch_id');

select ops.log_decided(d) from ops.decided d where d.source = 'switch' order by d.number;
