-- Decisions that came as files, row by row: what they say from which publish on, and when they say it no longer. The rows themselves
-- are staged and may be read anew; what counted is written down here, in the transaction that lets it count.
create table intake.filed_decision (
    number        bigint generated always as identity primary key,
    submission_no bigint not null references intake.submission (submission_no),
    sheet         smallint not null,
    row           integer not null,
    kind          text not null check (kind in ('accept', 'refuse', 'same', 'not_same', 'lapse')),
    dataset       text,
    about         jsonb not null,
    because       text check ((because is null) = (kind <> 'lapse')),
    decided_by    text not null,
    reason_sha256 text not null,
    publish       bigint not null,
    decided_at    timestamptz not null default clock_timestamp()
);
create index on intake.filed_decision (submission_no, sheet, row, number);
create trigger append_only before update or delete or truncate on intake.filed_decision
    for each statement execute function ops.refuse_change();
comment on column intake.filed_decision.dataset is 'What is decided about';
comment on column intake.filed_decision.about is 'Submission and predecessor, or two source records; nothing that the warehouse does not know';
comment on column intake.filed_decision.because is 'Of a lapse: what the submission stands for now; reread where it is in force and the row says nothing any more';
comment on column intake.filed_decision.decided_by is 'Code of a sender: the one that the row names, else whose file it is';

-- What the rows of one of the datasets of decisions say under a publish, against what was written down last: the differences, once.
-- "changed": only of submissions that this publish made stand for something else; else of all.
create function intake.file_decisions(dataset text, publish bigint, changed boolean) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    filed bigint;
begin
    if to_regclass('staging.' || quote_ident(dataset || '_rows')) is null then
        return 0;
    end if;
    execute replace($query$
        with standing as (
            select s.submission_no, s.assessment_no, s.standing, u.submission_id, u.sender
            from core.standing s
            join intake.submission u using (submission_no)
            where s.dataset = $1 and s.publish_from <= $2 and (s.publish_to is null or s.publish_to > $2)
        ),
        looked_at as (
            select s.submission_no from core.standing s where s.dataset = $1 and $2 in (s.publish_from, s.publish_to)
            union
            select submission_no from standing where not $3
        ),
        said as (
            select s.submission_no, r._sheet as sheet, r._row as row, j.said, s.sender,
                   case j.said ->> 'decision' when 'ACCEPT' then 'accept' when 'REFUSE' then 'refuse' when 'SAME' then 'same'
                                              when 'NOT_SAME' then 'not_same' end as kind
            from looked_at
            join standing s using (submission_no)
            join staging._rows_ r on r._assessment = s.assessment_no
            cross join lateral (select to_jsonb(r) as said) j
            where s.standing = 'in_force'
              and (r._ok or r._key is not null and not exists (  -- its every error has been waived
                  select from staging.verdict v
                  where v.assessment_no = s.assessment_no and v.sheet = r._sheet and v.row = r._row and v.severity = 'error'
                    and not exists (select from intake.decision d
                                    where d.kind = 'waive' and d.submission_id = s.submission_id
                                      and d.sheet = v.sheet and d.row = v.row and d.rule = v.rule)))
        ),
        -- a cell may hold anything, a number of a person too: what the warehouse does not know is not written down
        numbers as (
            select distinct said ->> 'dataset' as dataset, n::bigint as record
            from said
            cross join lateral unnest(array[said ->> 'left_record', said ->> 'right_record']) n
            where n is not null
        ),
        known as (
            select n.* from numbers n join core.record c using (dataset, record)
            union
            select n.* from numbers n join vault.identifier i on i.subject = n.record
            union
            select n.* from numbers n join core.doubt d on d.dataset = n.dataset and d.left_record = n.record
            union
            select n.* from numbers n join core.doubt d on d.dataset = n.dataset and d.right_record = n.record
        ),
        now as (
            select d.submission_no, d.sheet, d.row, d.kind, coalesce(held.dataset, k.dataset) as dataset,
                   jsonb_strip_nulls(jsonb_build_object('submission', held.submission_id, 'predecessor', before.submission_id,
                                                        'left', one.record::text, 'right', other.record::text)) as about,
                   coalesce(w.code, d.sender) as decided_by,
                   encode(sha256(convert_to(coalesce(d.said ->> 'reason', ''), 'UTF8')), 'hex') as reason_sha256
            from said d
            left join intake.submission held on held.submission_id = d.said ->> 'submission'
            left join intake.submission before on before.submission_id = d.said ->> 'predecessor'
            left join ops.contract k on k.dataset = d.said ->> 'dataset'
            left join known one on one.dataset = k.dataset and one.record = (d.said ->> 'left_record')::bigint
            left join known other on other.dataset = k.dataset and other.record = (d.said ->> 'right_record')::bigint
            left join core.sender w on w.code = d.said ->> 'decided_by'
            where d.kind is not null
        ),
        last as (
            select distinct on (f.submission_no, f.sheet, f.row) f.*
            from looked_at
            join intake.filed_decision f using (submission_no)
            order by f.submission_no, f.sheet, f.row, f.number desc
        )
        insert into intake.filed_decision
            (submission_no, sheet, row, kind, dataset, about, because, decided_by, reason_sha256, publish)
        select submission_no, sheet, row, coalesce(n.kind, 'lapse'), coalesce(n.dataset, l.dataset), coalesce(n.about, l.about),
               case when n.kind is null then coalesce(nullif(s.standing, 'in_force'), 'reread') end,
               coalesce(n.decided_by, l.decided_by), coalesce(n.reason_sha256, l.reason_sha256), $2
        from now n
        full join last l using (submission_no, sheet, row)
        left join standing s using (submission_no)
        where case when n.kind is null then l.kind <> 'lapse'
                   -- that one of them has become known meanwhile is no other decision
                   else (n.kind, n.decided_by, n.reason_sha256) is distinct from (l.kind, l.decided_by, l.reason_sha256)
                        or not (n.about @> l.about or l.about @> n.about) end
        order by submission_no, sheet, row
    $query$, '_rows_', quote_ident(dataset || '_rows')) using dataset, publish, changed;
    get diagnostics filed = row_count;
    return filed;
end $$;

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

create trigger audited after insert on intake.filed_decision
    for each row execute function ops.audit_decided('filed', 'number');

-- Where contracts stay as they are nothing is granted anew (schemas/roles.py).
do $$
declare
    reader text;
begin
    for reader in select rolname from pg_roles where rolname in ('lienthong_engineer', 'lienthong_auditor') loop
        execute 'grant select on intake.filed_decision to ' || quote_ident(reader);
    end loop;
end $$;

-- Those of before are in the log from now on.
select intake.file_decisions(d, (select max(number) from core.publish where state = 'published'), false)
from unnest(array['hold_decisions', 'identity_decisions']) d;
