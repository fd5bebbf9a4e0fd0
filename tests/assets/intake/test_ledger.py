"""The ledger of deliveries: bytes before rows, the same file once, what changes under the hand left for the next round."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from assets.intake.archive import Archive
from assets.intake.inbox import look
from assets.intake.ledger import deliveries_of, pending, receive
from schemas.migrate import migrate


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def test_a_life_of_deliveries(connection: psycopg.Connection, tmp_path: Path) -> None:
    inbox, archive = tmp_path / "inbox", Archive(str(tmp_path / "archive"))
    folder = inbox / "2026-Q2" / "22366"
    folder.mkdir(parents=True)

    def put(name: str, data: bytes, hour: int) -> None:
        (folder / name).write_bytes(data)
        at = datetime(2026, 7, 2, hour, tzinfo=UTC).timestamp()
        os.utime(folder / name, (at, at))

    def arrive() -> list[str]:
        return receive(connection, archive, str(inbox), look(str(inbox), settle_seconds=0).arrived).fresh

    put("b.csv", b"bb", 2)
    put("a.csv", b"aa", 3)
    put("a.csv.yaml", b"as_of: 2026-06-01", 3)
    first = arrive()
    assert len(first) == 2 and arrive() == []
    assert [(d.file_name, d.sidecar, d.size) for d in pending(connection)] == [
        ("b.csv", {}, 2),
        ("a.csv", {"as_of": "2026-06-01"}, 2),
    ]
    # another time, place, statement or content is another delivery; the same bytes are kept once
    put("b.csv", b"bb", 4)
    put("c.csv", b"bb", 2)
    put("a.csv.yaml", b"as_of: 2026-06-02", 3)
    assert len(arrive()) == 3
    put("b.csv", b"BB", 4)  # size and time as they were: only the content tells
    assert len(arrive()) == 1
    assert len(list((tmp_path / "archive").rglob("*/*"))) == 3
    # what cannot be opened, and what has grown since it was looked at, is left for the next round
    put("d.csv", b"dd", 5)
    put("e.csv", b"ee", 5)
    seen = [a for a in look(str(inbox), settle_seconds=0).arrived if a.file_name in ("d.csv", "e.csv")]
    put("d.csv", b"ddd", 5)
    (folder / "e.csv").unlink()
    assert receive(connection, archive, str(inbox), seen).fresh == []
    assert len(arrive()) == 1
    # what was read before, by what it was read as
    connection.execute("update intake.delivery set state = 'read'")
    assert pending(connection) == []
    assert len(deliveries_of(connection)) == 7
    assert deliveries_of(connection, dataset="villages") == []


def test_bytes_are_kept_even_where_the_row_is_not_written(connection: psycopg.Connection, tmp_path: Path) -> None:
    folder = tmp_path / "inbox" / "2026-Q2" / "22366"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"abc")
    archive = Archive(str(tmp_path / "archive"))
    arrived = look(str(tmp_path / "inbox"), settle_seconds=0).arrived
    connection.execute("alter table intake.delivery add constraint never check (size < 0)")
    with pytest.raises(psycopg.errors.CheckViolation):
        receive(connection, archive, str(tmp_path / "inbox"), arrived)
    assert pending(connection) == [] and len(list((tmp_path / "archive").rglob("*/*"))) == 1
    connection.execute("alter table intake.delivery drop constraint never")
    assert len(receive(connection, archive, str(tmp_path / "inbox"), arrived).fresh) == 1
