"""Fixtures for every test: an embedded PostgreSQL, empty databases, the real data, a home of the test's own.

Belongs here: what tests of several floors share. Fixtures of one folder live in a conftest beside its tests.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from pipelines.database import embedded

settings.register_profile(
    "dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# the same examples in each run, so that a red run means a change and not the luck of the draw
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

# begun first, so that no worker is left alone with one of them at the end; else files go by name
_LONG = [
    "test_killed",
    "test_demo",
    "test_server_stopped",
    "test_torn_reads",
    "test_reporting_rules",
    "test_identity_order",
    "test_large",
    "test_order",
    "test_names",
    "test_indicator_laws",
    "test_at_once",
    "test_personal",
    "test_worklists",
    "test_person",
    "test_keys",
    "test_job",
    "test_cli",
    "test_worker",
    "test_returned_round_trip",
    "test_board",
    "test_repository",
    "test_corruption",
    "test_population",
    "test_survivorship",
    "test_indicators_of_sample",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take long before the others."""
    items.sort(key=lambda item: _LONG.index(item.path.stem) if item.path.stem in _LONG else len(_LONG))


SHARED = Path(__file__).resolve().parents[2] / "shared"

# A server whose data is thrown away need not survive a power cut, nor have hundreds of databases looked through all the time.
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}

# The same order and the same letter case on every machine, whatever its locale.
_CREATE = sql.SQL(
    "create database {} template template0 encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8' "
    "strategy file_copy"
)

_numbers = count(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files and given cases beside the repository; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder of real data is absent: {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may read a developer's settings or touch a developer's archive, warehouse or inbox."""
    for name in [name for name in os.environ if name.startswith("LIENTHONG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL (libpq form) of the maintenance database of this test process's own PostgreSQL, stopped at the end.

    Its folder is short, since the path of a Unix socket may have 107 bytes at most, and not below pytest's, since under
    root the server runs as another user, who may not enter that.
    """
    folder = Path(tempfile.mkdtemp(prefix="lienthong-"))
    # registered before the library's own exit handler and so run after it: that one makes its lock's file again
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        # initdb refuses a locale that is not installed, such as one that came with a remote login
        patch.setenv("LC_ALL", "C")
        server = embedded(folder / ".lock").get_server(folder / "pg", cleanup_mode="stop")
    try:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            for name, value in _THROWAWAY.items():
                connection.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("select pg_reload_conf()")
        yield url
    finally:
        server.cleanup()


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """URL (libpq form) of an empty database of the test's own, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(_CREATE.format(sql.Identifier(name)))
        host = quote(connection.info.host, safe="/")
        yield f"postgresql://postgres@/{name}?host={host}"
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
