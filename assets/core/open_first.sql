-- A first submission, alone in force in an empty history: every accepted row is a version of its own.
insert into core.{name} (entity_id, valid_from, valid_to, publish_from, value_hash, carried_since, {columns})
select r._key, ({valid_from})::date, ({valid_to})::date, %(publish)s, r._value, null, {r_columns}
from staging.{name} r, _force f
where r._assessment = f.assessment_no and r._ok and r._key is not null
