-- Readers of the vault write lines into the log, and so link them: who held the end of the chain in a transaction left open stopped
-- everybody who had a line to write, the publisher too. It could be held by linking before the commit (set constraints), or by
-- something slow at the commit (a deferred trigger on a temporary table of the reader's own).

-- As before (0027), but refused to readers where it would not be linked by the commit and by nothing else.
create or replace function ops.audit_chain() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    head ops.audit_head;
    one ops.audit;
    made bytea;
    calls text;
begin
    if exists (select from ops.audit_link l where l.audit_id = new.audit_id) then
        return null;
    end if;
    if not pg_has_role(session_user, current_user, 'member') then
        -- at a commit that the client sends nothing calls this, and the words that link earlier are not in the command
        get diagnostics calls = pg_context;
        if position(E'\n' in calls) > 0 or coalesce(current_query(), '') ~* 'constraints' then
            raise exception using errcode = '42501', message = 'lines of the audit log are linked at the commit, and not before it',
                hint = 'leave out "set constraints"; commit by a command of its own, not in a block or procedure';
        end if;
        if exists (select from pg_class c join pg_trigger t on t.tgrelid = c.oid
                   where c.relnamespace = pg_my_temp_schema() and t.tgdeferrable) then
            raise exception using errcode = '42501', message = 'the vault is not read beside deferred triggers or constraints of one''s own',
                hint = 'drop the temporary tables that have them, or use another connection';
        end if;
    end if;
    select * into head from ops.audit_head for update;
    -- this transaction's own and no other's; those of its savepoints come with their own triggers
    for one in
        select a.* from ops.audit a
        where a.audit_id = new.audit_id
           or a.audit_id > new.audit_id and a.xmin = pg_current_xact_id()::xid
              and not exists (select from ops.audit_link l where l.audit_id = a.audit_id)
        order by a.audit_id
    loop
        head.number := head.number + 1;
        made := sha256(head.link || ops.audit_text(head.number, one));
        insert into ops.audit_link values (head.number, one.audit_id, made);
        head.link := made;
    end loop;
    update ops.audit_head h set number = head.number, link = head.link;
    return null;
end $$;

-- A steward's sequence is made with the grant: made by the first vault.open, its lock was held for as long as that transaction, and
-- other stewards waited.
create function vault.reader_granted() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform vault.reader_of(new.login);
    return null;
end $$;
create trigger reader after insert on ops.access for each row when (new.role = 'steward') execute function vault.reader_granted();
select vault.reader_of(login) from (select distinct login from ops.access
                                    where role = 'steward' and revoked_at is null and valid_until > now()) t;

-- As before (0025), but the purpose, which is kept for ever, is one line that ends, and has no number of a card in groups either.
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
