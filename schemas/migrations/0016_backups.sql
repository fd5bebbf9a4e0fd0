-- Backups that were made whole. Where they lie is not kept: an address may hold a password.
create table ops.backup (
    backup_id bigint generated always as identity primary key,
    name      text not null,
    made_at   timestamptz not null,
    publish   bigint not null,
    manifest  text not null,
    bytes     bigint not null,
    objects   integer
);
comment on column ops.backup.manifest is 'SHA-256 of the manifest';
comment on column ops.backup.objects is 'How many objects of the archive are beside it; null: the archive is backed up elsewhere';
