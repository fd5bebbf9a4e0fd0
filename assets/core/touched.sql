-- Entities whose history may differ from the last publish, because a submission came into force or left it.
-- rows = the dataset's rows view. whole: in all periods, not only in those of what changed.
create temporary table _touched on commit drop as
select distinct r._key as entity_id, false as whole
from staging.{rows} r
where r._assessment = any (%(changed)s) and r._key is not null
