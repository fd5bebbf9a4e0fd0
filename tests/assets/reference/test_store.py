"""The lists in the database, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from assets.reference.store import sync_reference
from assets.reference.units import Reference, load_reference
from schemas.migrate import migrate

COUNTS = (
    "select (select count(*) from core.unit), (select count(*) from core.unit_change),"
    " (select count(*) from core.sender)"
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    migrate(database_url)
    with psycopg.connect(database_url) as connection:
        yield connection


def counts(connection: psycopg.Connection) -> tuple[int, ...]:
    row = connection.execute(COUNTS).fetchone()
    assert row is not None
    return row


def test_lists_are_loaded_once_and_follow_the_version(connection: psycopg.Connection, reference: Reference) -> None:
    expected = (reference.units.height, reference.changes.height, reference.senders.height)
    assert sync_reference(connection, reference) is True
    assert counts(connection) == expected
    assert sync_reference(connection, reference) is False
    assert counts(connection) == expected

    other = load_reference(province="48")
    assert sync_reference(connection, other) is True
    assert counts(connection) == (expected[0], expected[1], other.senders.height)
    assert connection.execute("select version from core.reference_version").fetchall() == [(other.version,)]

    found = connection.execute(
        "select code, name, valid_from, valid_to from core.unit_at('22852', '2024-06-30')"
        " union all select code, name, valid_from, valid_to from core.unit_at('22852', '2025-07-01')"
        " union all select code, name, valid_from, valid_to from core.unit_at('22330', '2025-07-01')"
    ).fetchall()
    assert found == [
        ("22852", "Xã Phương Hải", date(1, 1, 1), date(2025, 7, 1)),
        ("22852", "Xã Ninh Hải", date(2025, 7, 1), None),
    ]


def test_it_belongs_to_the_callers_transaction(connection: psycopg.Connection, reference: Reference) -> None:
    sync_reference(connection, reference)
    connection.rollback()
    assert counts(connection) == (0, 0, 0)


def test_two_at_once_load_it_once(connection: psycopg.Connection, database_url: str, reference: Reference) -> None:
    changed: list[bool] = []

    def other() -> None:
        with psycopg.connect(database_url) as second:
            changed.append(sync_reference(second, reference))

    assert sync_reference(connection, reference) is True
    thread = threading.Thread(target=other)
    thread.start()
    connection.commit()
    thread.join()
    assert changed == [False]
