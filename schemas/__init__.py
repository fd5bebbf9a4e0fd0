"""What data looks like: contracts, semantic types, codes, periods, system tables and published SQL.

Belongs here: declarations and pure functions over them. Does not belong here: reading files, rules engines,
database sessions, Dagster. This is the lowest floor; it imports none of the others.
"""

import os

# Polars' allocator keeps freed memory for ten seconds; a run over huge files then holds a third more than it uses. Read
# once, when Polars is loaded, so this stands in the package that all others import first.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:100,muzzy_decay_ms:0")
