-- Roles for readers and for those who run and check the warehouse (schemas/roles.py); as in 0006, they belong to the server.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['lienthong_public', 'lienthong_department', 'lienthong_commune', 'lienthong_engineer',
                                  'lienthong_auditor'] loop
        begin
            execute 'create role ' || quote_ident(wanted) || ' nologin';
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise notice using message =
                    'an administrator must make the role ' || wanted || '; lienthong db migrate then grants it what it may see';
        end;
    end loop;
end
$$;

-- Who may read what, what for, on what ground, until when. Rows are never removed; what the server has is brought in step with them.
create table ops.access (
    access_id     bigint generated always as identity primary key,
    login         text not null,
    role          text not null check (role in ('public', 'app', 'department', 'commune', 'officer', 'steward', 'engineer', 'auditor',
                                                'authenticator')),
    dataset       text,
    unit          text,
    purpose       text not null check (length(trim(purpose)) > 0),
    legal_ground  text not null check (length(trim(legal_ground)) > 0),
    valid_until   timestamptz not null,
    granted_by    text not null,
    granted_at    timestamptz not null default clock_timestamp(),
    revoked_at    timestamptz,
    revoked_by    text,
    revoke_reason text,
    check ((role in ('department', 'commune')) = (unit is not null)),
    check (dataset is null or role in ('app', 'officer', 'steward')),
    check ((revoked_at is null) = (revoked_by is null) and (revoked_at is null) = (revoke_reason is null))
);
create index on ops.access (login) where revoked_at is null;
comment on column ops.access.dataset is 'Null: all that the role may read';
comment on column ops.access.unit is 'Whose rows: code of a commune or organisation';

create function ops.keep_access() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.revoked_at is not null or (to_jsonb(new) - '{revoked_at,revoked_by,revoke_reason}'::text[])
                                                         <> (to_jsonb(old) - '{revoked_at,revoked_by,revoke_reason}'::text[]) then
        raise exception using message = 'ops.access is append-only: a grant is revoked, never changed or removed';
    end if;
    return new;
end $$;
create trigger keep before update or delete on ops.access for each row execute function ops.keep_access();

create function ops.audit_access() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.audit (who, action, dataset, reason, details)
    values (case tg_op when 'INSERT' then new.granted_by else new.revoked_by end,
            case tg_op when 'INSERT' then 'grant' else 'revoke' end, new.dataset,
            case tg_op when 'INSERT' then new.purpose else new.revoke_reason end,
            jsonb_strip_nulls(jsonb_build_object('access', new.access_id, 'login', new.login, 'role', new.role, 'unit', new.unit,
                                                 'ground', new.legal_ground, 'until', new.valid_until)));
    return null;
end $$;
create trigger audited after insert or update on ops.access for each row execute function ops.audit_access();

-- The units whose rows this login may read now. A setting counts only for a login that was granted to speak for others (PostgREST's
-- authenticator); anybody else could set it.
create function ops.own_units() returns text[] language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct u.unit), '{}')
    from ops.access a
    cross join lateral (select case a.role when 'authenticator' then nullif(current_setting('lienthong.unit', true), '')
                                           else a.unit end as unit) u
    where a.login = session_user and a.role in ('department', 'commune', 'authenticator') and a.revoked_at is null
      and a.valid_until > clock_timestamp() and u.unit is not null
$$;

-- A ticket needs a grant: of the role of stewards as a whole, or for the dataset; it ends with it.
create function vault.open(dataset text, purpose text, minutes integer default 60) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    allowed timestamptz;
    ends timestamptz;
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
    select max(a.valid_until) into allowed
    from ops.access a
    where a.login = session_user and a.role = 'steward' and a.revoked_at is null and a.valid_until > clock_timestamp()
      and (a.dataset is null or a.dataset = open.dataset);
    if allowed is null then
        raise exception using errcode = '42501', message = 'this login has no grant for clear values of that dataset',
            hint = 'lienthong access grant LOGIN steward --dataset … --purpose … --ground … --until …';
    end if;
    ends := least(allowed, clock_timestamp() + make_interval(mins => minutes));
    insert into vault.ticket (login, dataset, purpose, until) values (session_user, dataset, trim(purpose), ends);
    insert into ops.audit (who, action, dataset, reason, details)
    values (session_user, 'open vault', dataset, trim(purpose), jsonb_build_object('minutes', minutes));
    return ends;
end $$;

-- A revoked grant ends its tickets.
create function vault.close_tickets() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update vault.ticket t set until = clock_timestamp()
    where t.login = new.login and t.until > clock_timestamp() and (new.dataset is null or t.dataset = new.dataset);
    return null;
end $$;
create trigger closed after update on ops.access for each row
    when (new.role = 'steward' and new.revoked_at is not null) execute function vault.close_tickets();
