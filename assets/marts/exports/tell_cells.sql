-- Cells that a release told or hid for the first time with their value, column by column.
insert into ops.open_cell (release, relation, number, row, name, value, hidden, slack, possible)
select %(release)s, %(relation)s, t.*
from unnest(%(number)s::bigint[], %(row)s::text[], %(name)s::text[], %(value)s::double precision[], %(hidden)s::boolean[],
            %(slack)s::boolean[], %(possible)s::smallint[]) t
