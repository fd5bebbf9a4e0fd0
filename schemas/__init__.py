"""What data looks like: contracts, semantic types, codes, periods, system tables and published SQL.

Belongs here: declarations and pure functions over them. Does not belong here: reading files, rules engines,
database sessions, Dagster. This is the lowest floor; it imports none of the others.
"""
