-- Where the first findings of each rule stand: the rows in force that said what is flagged, by their cells.
with blamed as (
    select * from unnest(%(rules)s::text[], %(sources)s::text[]) b (rule, source)
),
shown as (
    select f.rule, f.entity_id, f.valid_from, b.source
    from blamed b, core.pointer p, lateral (
        select f.*
        from core.finding f
        where f.dataset = %(dataset)s and f.rule = b.rule and f.publish_from <= p.shows
          and (f.publish_to is null or f.publish_to > p.shows)
        order by f.entity_id, f.valid_from
        limit 10
    ) f
),
placed as (
    select s.rule, u.submission_id, r._row, l.lay -> 'columns' ->> s.source || r._row as cell,
           row_number() over (partition by s.rule order by u.submission_no desc, r._sheet, r._row) as place
    from shown s
    join staging.{rows} r on r._key = s.entity_id and r._ok
    join core.standing t on t.assessment_no = r._assessment and t.standing = 'in_force' and t.publish_to is null
    join intake.submission u on u.submission_no = t.submission_no
    join intake.assessment a on a.assessment_no = r._assessment
    left join lateral (
        select lay from jsonb_array_elements(a.layout) lay where (lay ->> 'sheet')::int = r._sheet limit 1
    ) l on true
    where not %(by_period)s or u.period_first = s.valid_from
)
select rule, submission_id, coalesce(cell, _row::text)
from placed
where place <= 10
order by rule, place
