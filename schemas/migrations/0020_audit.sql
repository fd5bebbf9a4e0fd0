-- The audit log as a chain: each row has a link, the hash of the link before it and of what the row says. A row that was changed,
-- removed or put in between breaks it, also where somebody could switch the trigger off that refuses changes.
create table ops.audit_link (
    number   bigint primary key,
    audit_id bigint not null unique references ops.audit,
    link     bytea not null
);
create trigger append_only before update or delete or truncate on ops.audit_link
    for each statement execute function ops.refuse_change();
-- The end of the chain. Its lock is the order of the chain; it is taken at commit, when nothing else is waited for.
create table ops.audit_head (only_one boolean primary key default true check (only_one), number bigint not null, link bytea not null);
insert into ops.audit_head (number, link) values (0, sha256('Liên Thông'::bytea));

-- What is hashed of a row. Text of jsonb is one and the same for one value.
create function ops.audit_text(number bigint, a ops.audit) returns bytea language sql stable as $$
    select convert_to(jsonb_build_array(number, a.audit_id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), a.who,
                                        a.action, a.dataset, a.entity_id, a.reason, a.details)::text, 'UTF8')
$$;

create function ops.audit_chain() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    head ops.audit_head;
    made bytea;
begin
    select * into head from ops.audit_head for update;
    made := sha256(head.link || ops.audit_text(head.number + 1, new));
    insert into ops.audit_link values (head.number + 1, new.audit_id, made);
    update ops.audit_head h set number = head.number + 1, link = made;
    return null;
end $$;

-- Decisions as the log tells them. Their reason is a person's words and may name somebody: the log has its hash.
create view ops.decided as
select 'decision' as source, d.decision_id as number, d.decided_at as at, d.decided_by as who, d.kind as action, u.dataset,
       jsonb_build_object('submission', d.submission_id, 'predecessor', d.predecessor, 'rule', d.rule, 'sheet', d.sheet, 'row', d.row)
           as details, encode(sha256(convert_to(d.reason, 'UTF8')), 'hex') as reason_sha256
from intake.decision d
left join intake.submission u using (submission_id)
union all
select 'closing', c.closing_no, c.decided_at, c.decided_by, c.kind, c.dataset,
       jsonb_build_object('period', c.period, 'publish', c.publish), encode(sha256(convert_to(c.reason, 'UTF8')), 'hex')
from intake.closing c;

create function ops.log_decided(d ops.decided) returns void language sql as $$
    insert into ops.audit (at, who, action, dataset, reason, details)
    values (d.at, d.who, d.action, d.dataset, d.source || ' ' || d.number,
            jsonb_strip_nulls(d.details || jsonb_build_object('reason_sha256', d.reason_sha256)))
$$;

-- Those of before are in the log from now on.
select ops.log_decided(d) from (select * from ops.decided order by source desc, number) d;

do $$
declare
    head ops.audit_head;
    one ops.audit;
    link bytea;
begin
    select * into head from ops.audit_head;
    for one in select * from ops.audit order by audit_id loop
        link := sha256(head.link || ops.audit_text(head.number + 1, one));
        head.number := head.number + 1;
        head.link := link;
        insert into ops.audit_link values (head.number, one.audit_id, link);
    end loop;
    update ops.audit_head h set number = head.number, link = head.link;
end $$;

create constraint trigger chain after insert on ops.audit deferrable initially deferred
    for each row execute function ops.audit_chain();

-- Decisions are in the log whoever writes them.
create function ops.audit_decided() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform ops.log_decided(d) from ops.decided d
    where d.source = tg_argv[0] and d.number = (to_jsonb(new) ->> tg_argv[1])::bigint;
    return null;
end $$;
create trigger audited after insert on intake.decision for each row execute function ops.audit_decided('decision', 'decision_id');
create trigger audited after insert on intake.closing for each row execute function ops.audit_decided('closing', 'closing_no');
create trigger append_only before update or delete on intake.closing
    for each statement execute function ops.refuse_change();

-- Clear values of persons are read with a ticket: who, which dataset, what for, until when. It must be committed, and with it its
-- line in the log, before anything can be read: a reading that is rolled back has been seen all the same.
create table vault.ticket (
    ticket_id bigint generated always as identity primary key,
    login     text not null,
    dataset   text not null,
    purpose   text not null,
    opened_at timestamptz not null default clock_timestamp(),
    until     timestamptz not null,
    made_by   xid8 not null default pg_current_xact_id()
);
create index on vault.ticket (login, dataset, until);

-- Whether this login may see clear values of a dataset now; asked once a statement. The pipeline's own account always may: it writes
-- down itself what it is asked for.
create function vault.opened(dataset text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if pg_has_role(session_user, current_user, 'member') or exists (
        select from vault.ticket t
        where t.login = session_user and t.dataset = opened.dataset and t.until > clock_timestamp()
          and t.made_by is distinct from pg_current_xact_id_if_assigned()) then
        return true;
    end if;
    raise exception using errcode = '42501', message = 'the vault is not open to this login',
        hint = 'select vault.open(''' || opened.dataset || ''', ''what for'', 60), committed before the reading';
end $$;
do $$ begin
    if exists (select from pg_roles where rolname = 'lienthong_steward') then
        revoke select on vault.identifier from lienthong_steward;
    end if;
end $$;
