-- No touched entity has more than one sender any more: nothing is disputed.
create temporary table _conflict (
    entity_id bigint, attribute text, valid_from date, valid_to date, chosen jsonb, others jsonb, rule text, since date
) on commit drop
