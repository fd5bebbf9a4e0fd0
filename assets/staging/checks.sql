-- What every check found in what each sender last said: of a list that replaces (snapshot, facts) the newest submission of
-- each sender and period, of others all. A function of the set of submissions alone: the same before and after a publish.
with said as materialized (
    select submission_no, submission_id, assessment_no, rows_read, rows_accepted, rows_quarantined, rows_set_aside
    from (
        select u.*, row_number() over (
            partition by u.sender, u.period, case when %(replaces)s then null else u.submission_no end
            order by u.received_at desc, u.content desc, u.submission_id desc) as place
        from intake.submission u
        where u.dataset = %(dataset)s and u.assessment_no is not null and u.state <> 'withdrawn'
          and (u.withdraws is null or u.rows_read > 0)  -- a withdrawal alone is no list
    ) u
    where place = 1
),
recent as materialized (
    select s.*, a.rows_accepted as assessed_good, a.rows_quarantined as assessed_bad
    from said s join intake.assessment a using (assessment_no) order by s.submission_no desc limit {recount}
),
-- rules of the contract
rule as (
    select
        r.check_id as id, '' as code, count(*) as submissions, sum(r.evaluated)::bigint as evaluated,
        sum(r.unexpected)::bigint as unexpected,
        array_agg(s.submission_id order by s.submission_no) filter (where r.status = 'could_not_run') as could_not_run,
        array_agg(s.submission_id || ' ' || array_to_string(r.addresses[1:5], ', ') order by s.submission_no desc)
            filter (where r.unexpected > 0) as places
    from said s join staging.check_result r using (assessment_no)
    group by r.check_id
),
-- what is said about rows beside the rules: cells that could not be read, keys that contradict each other
spoken as (
    select
        case when v.rule = 'DUPLICATE_KEY' then 'DUPLICATE_KEY' else 'CELLS' end as id, v.rule as code, s.submission_no,
        s.submission_id, count(*) as unexpected, (array_agg(v.address order by v.sheet, v.row))[1:5] as addresses
    from said s join staging.verdict v using (assessment_no)
    where not v.rule = any (%(rules)s)
    group by v.rule, s.submission_no, s.submission_id
),
recounted as (
    select
        count(*) as submissions,
        coalesce(array_agg(submission_id) filter (where good <> assessed_good or bad <> assessed_bad
            or rows_read <> rows_set_aside + good + bad), '{{}}') as wrong
    from (
        select r.submission_id, r.rows_read, r.rows_set_aside, r.assessed_good, r.assessed_bad,
            count(o._ok) filter (where o._ok) as good, count(o._ok) filter (where not o._ok) as bad
        from recent r left join staging.{rows} o on o._assessment = r.assessment_no
        group by r.submission_id, r.rows_read, r.rows_set_aside, r.assessed_good, r.assessed_bad
    ) c
)
select id, code, submissions, evaluated, unexpected, coalesce(could_not_run, '{{}}'), places[1:10] from rule
union all
select
    id, code, count(*), 0, sum(unexpected)::bigint, '{{}}',
    (array_agg(submission_id || ' ' || array_to_string(addresses, ', ') order by submission_no desc))[1:10]
from spoken group by id, code
union all
select 'ROWS', '', count(*), coalesce(sum(rows_read), 0)::bigint, abs(coalesce(sum(rows_read - rows_accepted - rows_quarantined - rows_set_aside), 0))::bigint,
    (select wrong from recounted), null
from said
union all
select 'FIT', '', count(*), coalesce(sum(rows_accepted + rows_quarantined), 0)::bigint, 0, '{{}}', null from said
