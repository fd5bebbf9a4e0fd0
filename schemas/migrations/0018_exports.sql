-- Publishes, for readers: which is current, which was when, and what each shows (another one where it was taken back).
create view mart_v1.publishes as
select p.number as publish, p.kind, p.shows, p.published_at
from core.publish p
where p.state = 'published';
