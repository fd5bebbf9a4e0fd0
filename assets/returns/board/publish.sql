-- The publish that readers see, and when it was published.
select p.shows, b.published_at
from core.pointer p
left join core.publish b on b.number = p.shows
