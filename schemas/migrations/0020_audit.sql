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

-- Decisions of before are in the log from now on.
insert into ops.audit (at, who, action, dataset, reason, details)
select d.decided_at, d.decided_by, d.kind, u.dataset, 'decision ' || d.decision_id,
       jsonb_strip_nulls(jsonb_build_object('submission', d.submission_id, 'predecessor', d.predecessor, 'rule', d.rule,
                                            'sheet', d.sheet, 'row', d.row,
                                            'reason_sha256', encode(sha256(convert_to(d.reason, 'UTF8')), 'hex')))
from intake.decision d
left join intake.submission u using (submission_id)
order by d.decision_id;
insert into ops.audit (at, who, action, dataset, reason, details)
select c.decided_at, c.decided_by, c.kind, c.dataset, 'closing ' || c.closing_no,
       jsonb_strip_nulls(jsonb_build_object('period', c.period, 'publish', c.publish,
                                            'reason_sha256', encode(sha256(convert_to(c.reason, 'UTF8')), 'hex')))
from intake.closing c
order by c.closing_no;

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

-- Decisions are in the log whoever writes them. Their reason is a person's words and may name somebody: the log has its hash.
create function ops.audit_decision() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.audit (at, who, action, dataset, reason, details)
    select new.decided_at, new.decided_by, new.kind, u.dataset, 'decision ' || new.decision_id,
           jsonb_strip_nulls(jsonb_build_object('submission', new.submission_id, 'predecessor', new.predecessor, 'rule', new.rule,
                                                'sheet', new.sheet, 'row', new.row,
                                                'reason_sha256', encode(sha256(convert_to(new.reason, 'UTF8')), 'hex')))
    from (values (1)) one left join intake.submission u on u.submission_id = new.submission_id;
    return null;
end $$;
create trigger audited after insert on intake.decision for each row execute function ops.audit_decision();

create function ops.audit_closing() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.audit (at, who, action, dataset, reason, details)
    values (new.decided_at, new.decided_by, new.kind, new.dataset, 'closing ' || new.closing_no,
            jsonb_strip_nulls(jsonb_build_object('period', new.period, 'publish', new.publish,
                                                 'reason_sha256', encode(sha256(convert_to(new.reason, 'UTF8')), 'hex'))));
    return null;
end $$;
create trigger audited after insert on intake.closing for each row execute function ops.audit_closing();
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

create function vault.open(dataset text, purpose text, minutes integer default 60) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ends timestamptz := clock_timestamp() + make_interval(mins => minutes);
begin
    if to_regclass('vault.' || quote_ident(dataset || '_history')) is null then
        raise exception using errcode = '42P01', message = 'the vault has nothing of that dataset',
            hint = 'vault.open(dataset, purpose, minutes); datasets: those of the views in the schema vault';
    end if;
    if coalesce(minutes, 0) not between 1 and 480 then
        raise exception using errcode = '22023', message = 'the vault is opened for 1 to 480 minutes';
    end if;
    if length(trim(coalesce(purpose, ''))) < 5 then
        raise exception using errcode = '22023', message = 'say what for, such as the number of the request';
    end if;
    if purpose ~ '[0-9]{9}' then
        raise exception using errcode = '22023',
            message = 'the purpose holds a number as long as that of an identity card; it would be kept: leave it out';
    end if;
    insert into vault.ticket (login, dataset, purpose, until) values (session_user, dataset, trim(purpose), ends);
    insert into ops.audit (who, action, dataset, reason, details)
    values (session_user, 'open vault', dataset, trim(purpose), jsonb_build_object('minutes', minutes));
    return ends;
end $$;

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
