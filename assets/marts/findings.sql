-- End the findings of a rule that it no longer makes, begin those that are new; rows judged, rows that fail, changes.
with wanted as (
    select entity_id, valid_from, params from _found where failed
),
ended as (
    update core.finding f
    set publish_to = %(publish)s
    where f.dataset = %(dataset)s and f.rule = %(rule)s and f.publish_to is null
      and not exists (
          select from wanted w
          where w.entity_id = f.entity_id and w.valid_from = f.valid_from and w.params = f.params
      )
    returning 1
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
    returning 1
)
select
    (select count(*) from _found),
    (select count(*) from wanted),
    (select count(*) from ended) + (select count(*) from begun)
