-- Why the bytes of a delivery are not in the archive (design, law 1). What bears a secret marking never was there, and its
-- row says hash, size, sender and times only: the name of the file and its sidecar are no part of it.
alter table intake.delivery add column withheld text check (withheld in ('SECRET_MARKING'));
alter table intake.delivery add constraint nothing_of_a_secret check (
    withheld is null or (file_name = '(không lưu tên tệp)' and sidecar = '{}' and split_part(origin, '/', 3) = '(không lưu tên tệp)')
);
create index on intake.delivery (received_at) where withheld is not null;
