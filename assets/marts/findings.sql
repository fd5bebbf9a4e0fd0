-- Evaluate a rule, end its findings that it no longer makes, begin those that are new: rows judged, rows that fail, both by day, and the
-- entities whose findings changed. Rows that pass are counted and not kept: they are many. Findings about what began before the
-- parameter first are left alone.
with judged as (
    select
        valid_from,
        count(*) as evaluated,
        count(*) filter (where failed) as failed,
        array_agg(entity_id) filter (where failed) as entities,
        array_agg(params) filter (where failed) as said
    from ({rule}) r
    group by valid_from
),
wanted as materialized (
    select w.entity_id, j.valid_from, w.params
    from judged j, unnest(j.entities, j.said) w (entity_id, params)
),
ended as (
    update core.finding f
    set publish_to = %(publish)s
    where f.dataset = %(dataset)s and f.rule = %(rule)s and f.publish_to is null and f.valid_from >= %(first)s
      and not exists (
          select from wanted w
          where w.entity_id = f.entity_id and w.valid_from = f.valid_from and w.params = f.params
      )
    returning f.entity_id
),
begun as (
    insert into core.finding (dataset, rule, entity_id, valid_from, params, publish_from)
    select %(dataset)s, %(rule)s, w.entity_id, w.valid_from, w.params, %(publish)s
    from wanted w
    where not exists (
        select from core.finding f
        where f.dataset = %(dataset)s and f.rule = %(rule)s and f.publish_to is null
          and w.entity_id = f.entity_id and w.valid_from = f.valid_from and w.params = f.params
    )
    returning entity_id
)
select
    (select coalesce(sum(evaluated), 0)::bigint from judged),
    (select coalesce(sum(failed), 0)::bigint from judged),
    (select coalesce(jsonb_object_agg(valid_from, jsonb_build_array(evaluated, failed)), '{}') from judged),
    (select array_agg(entity_id) from (select entity_id from ended union select entity_id from begun) m)
