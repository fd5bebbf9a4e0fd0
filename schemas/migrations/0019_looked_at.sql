-- What is known of a file on a store without fetching it again, and rows of a source that its watermark cannot tell.
alter table intake.delivery add column store_tag text, add column looked_at timestamptz;
comment on column intake.delivery.store_tag is 'What the store said of the bytes (an ETag); null: nothing';
comment on column intake.delivery.looked_at is 'When the bytes were last fetched from a store elsewhere and hashed';
alter table ops.source_pull add column unmarked bigint;
comment on column ops.source_pull.unmarked is 'Rows without a value in the column that tells what is new: they come once or never; null: not counted';
