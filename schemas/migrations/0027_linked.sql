-- The lines of one transaction are linked by the first of their triggers, all at once: each read all versions that those before it had
-- made of the end of the chain, so that 20,000 decisions of one file took nine seconds of the publish.
--
-- Readers of the vault write lines into the log, and so link them: who held the end of the chain in a transaction left open stopped
-- everybody who had a line to write, the publisher too. It could be held by linking before the commit (set constraints), or by
-- something slow at the commit (a deferred trigger on a temporary table of the reader's own). So readers are refused where their lines
-- would not be linked by the commit and by nothing else.
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
