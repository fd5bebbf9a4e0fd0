-- What is asked of one person's posts and evaluations: the views look for the person's records at any publish, not at the newest alone.
create index on core.member (dataset, record, publish_from);
create index on core.member (dataset, entity_id, publish_from);
