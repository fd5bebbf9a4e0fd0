"""Bring the system schemas of a database up to date; cheap when they already are (Alembic is then not imported)."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

HEAD = "0031"
"""Newest migration; a test compares it with the folder."""

_FOLDER = Path(__file__).parent / "migrations"


def is_current(connection: psycopg.Connection) -> bool:
    """Whether the database stands at the newest migration."""
    found = connection.execute("select to_regclass('public.alembic_version')").fetchone()
    if found is None or found[0] is None:
        return False
    version = connection.execute("select version_num from public.alembic_version").fetchone()
    return version is not None and version[0] == HEAD


def migrate(url: str) -> bool:
    """Run what is missing; True where something ran. Two processes at once queue on an advisory lock.

    Raises whatever the database raises: a database that cannot be migrated cannot be used.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if is_current(connection):
            return False
        connection.execute("select pg_advisory_lock(hashtext('lienthong.migrate'))")
        if is_current(connection):
            return False
        from alembic import command
        from alembic.config import Config
        from sqlalchemy import NullPool, create_engine

        engine = create_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        with engine.begin() as bound:
            config.attributes["connection"] = bound
            command.upgrade(config, "head")
        return True


def sqlalchemy_url(url: str) -> str:
    """A PostgreSQL URL as operators paste it, with the driver that SQLAlchemy is to use (psycopg 3)."""
    for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://", "postgresql+psycopg2://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    raise ValueError("not a PostgreSQL URL: it must begin with postgresql://")


def libpq_url(url: str) -> str:
    """The same URL for psycopg itself."""
    return "postgresql://" + sqlalchemy_url(url)[len("postgresql+psycopg://") :]


def quote(name: str) -> str:
    """A name quoted as an SQL identifier, for statements that are text."""
    return sql.Identifier(name).as_string()


def literal(text: str) -> str:
    """A text quoted as an SQL literal, for statements that are text."""
    return "'" + text.replace("'", "''") + "'"
