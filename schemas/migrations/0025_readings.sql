-- Each command that reads clear values is in the log, not its ticket alone.

-- Lines that a migration before this one has written are linked now: the table takes no index while they wait for that.
set constraints all immediate;
set constraints all deferred;

-- Who reads with tickets. Each has a sequence of its own, vault._reader_<reader_no>, which counts readings; no rollback takes a number
-- back, so that one that was rolled back, and its line in the log with it, is missed.
create table vault.reader (
    reader_no bigint generated always as identity primary key,
    login     text not null unique
);

create function vault.reader_of(login text) returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    found bigint;
begin
    select r.reader_no into found from vault.reader r where r.login = reader_of.login;
    if found is null then
        perform pg_advisory_xact_lock(hashtext('lienthong.reader'));
        insert into vault.reader (login) values (reader_of.login) on conflict do nothing;
        select r.reader_no into found from vault.reader r where r.login = reader_of.login;
        execute 'create sequence if not exists vault._reader_' || found;
    end if;
    return found;
end $$;
-- A steward's sequence is made with the grant: made by the first vault.open, its lock was held for as long as that transaction, and
-- other stewards waited.
create function vault.reader_granted() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform vault.reader_of(new.login);
    return null;
end $$;
create trigger reader after insert on ops.access for each row when (new.role = 'steward') execute function vault.reader_granted();
select vault.reader_of(login) from (select login from vault.ticket where until > clock_timestamp()
                                    union
                                    select login from ops.access
                                    where role = 'steward' and revoked_at is null and valid_until > now()) t;

create index on ops.audit (who, dataset, at) where action = 'read vault';

-- Whether this login may see clear values of a dataset now; asked once for each place where a view stands in a command, and written
-- down once for each command that the client sends. Volatile, and so no parallel plan, since it writes. The pipeline's own account
-- always may: it writes down itself what it is asked for.
create or replace function vault.opened(dataset text) returns boolean
language plpgsql volatile parallel unsafe security definer set search_path = pg_catalog, pg_temp as $$
declare
    ticket bigint;
begin
    if pg_has_role(session_user, current_user, 'member') then
        return true;
    end if;
    select t.ticket_id into ticket
    from vault.ticket t
    where t.login = session_user and t.dataset = opened.dataset and t.until > clock_timestamp()
      and t.made_by is distinct from pg_current_xact_id_if_assigned()
    order by t.until desc
    limit 1;
    if ticket is null then
        raise exception using errcode = '42501', message = 'the vault is not open to this login',
            hint = 'select vault.open(''' || opened.dataset || ''', ''what for'', 60), committed before the reading';
    end if;
    if current_setting('transaction_read_only') = 'on' then
        raise exception using errcode = '25006',
            message = 'reading the vault is written into the audit log, which a read-only transaction cannot do',
            hint = 'begin read write, and set default_transaction_read_only = off; a standby shows nothing of the vault';
    end if;
    if not exists (
        select from ops.audit a
        where a.action = 'read vault' and a.who = session_user and a.dataset = opened.dataset and a.at = statement_timestamp()
          and a.details ->> 'process' = pg_backend_pid()::text) then
        insert into ops.audit (at, who, action, dataset, reason, details)
        select statement_timestamp(), r.login, 'read vault', opened.dataset, 'ticket ' || ticket,
               jsonb_build_object('ticket', ticket, 'reading', nextval(('vault._reader_' || r.reader_no)::regclass),
                                  'process', pg_backend_pid())
        from vault.reader r
        where r.login = session_user;
    end if;
    return true;
end $$;

-- As before (0022), with the ticket in its line; the purpose, which is kept for ever, is one line that ends, and has no number of a
-- card in groups either.
create or replace function vault.open(dataset text, purpose text, minutes integer default 60) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    allowed timestamptz;
    ends timestamptz;
    ticket bigint;
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
    if length(purpose) > 500 or purpose ~ '[[:cntrl:]]' then
        raise exception using errcode = '22023', message = 'what for is said in one line of at most 500 characters';
    end if;
    if regexp_replace(purpose, '[[:space:].,_-]', '', 'g') ~ '[[:digit:]]{9}' then
        raise exception using errcode = '22023',
            message = 'the purpose holds a number as long as that of an identity card; it would be kept: leave it out';
    end if;
    select max(a.valid_until) into allowed
    from ops.access a
    where a.login = session_user and a.role = 'steward' and a.revoked_at is null and a.valid_until > clock_timestamp()
      and (a.dataset is null or a.dataset = open.dataset);
    if allowed is null then
        raise exception using errcode = '42501', message = 'this login has no grant for clear values of that dataset',
            hint = 'lienthong access grant LOGIN steward --dataset … --purpose … --ground … --until …';
    end if;
    perform vault.reader_of(session_user);
    ends := least(allowed, clock_timestamp() + make_interval(mins => minutes));
    insert into vault.ticket (login, dataset, purpose, until) values (session_user, dataset, trim(purpose), ends)
    returning ticket_id into ticket;
    insert into ops.audit (who, action, dataset, reason, details)
    values (session_user, 'open vault', dataset, trim(purpose), jsonb_build_object('minutes', minutes, 'ticket', ticket));
    return ends;
end $$;
