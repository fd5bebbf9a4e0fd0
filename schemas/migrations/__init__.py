"""Alembic migrations of the system schemas. Contract tables are not here: :mod:`schemas.tables` syncs those."""
