"""Staging writes whole batches, isolates what the database refuses, and is taken up where it was stopped."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from assets.intake.inbox import look
from assets.intake.ledger import Delivery, pending, receive
from assets.staging.stage import Tools, stage
from pipelines.flow import Pipeline
from pipelines.settings import Settings

HEAD = "Tên thôn,Số hộ,Số khẩu\n"


class Stopped(Exception):
    pass


class World:
    """A pipeline whose deliveries have been received and wait to be staged."""

    def __init__(self, url: str, home: Path) -> None:
        self.inbox = home / "inbox"
        self.pipeline = Pipeline(
            Settings(
                home=home, database_url=url, inbox=str(self.inbox), archive=str(home / "archive"), settle_seconds=0
            )
        )

    def put(self, sender: str, text: str, period: str = "2026-Q2") -> None:
        path = self.inbox / period / sender / "thon.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + text, encoding="utf-8")

    def receive(self, connection: psycopg.Connection) -> list[str]:
        arrived = look(str(self.inbox), settle_seconds=0).arrived
        return receive(connection, self.pipeline.archive, str(self.inbox), arrived).fresh

    def tools(self, connection: psycopg.Connection, **more: Any) -> Tools:
        return replace(self.pipeline.tools(connection), **more)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> World:
    return World(database_url, tmp_path)


@pytest.fixture
def connection(world: World) -> Iterator[psycopg.Connection]:
    with world.pipeline.connection() as connection:
        yield connection


def states(connection: psycopg.Connection) -> dict[str, str]:
    found = connection.execute("select sender, state from intake.submission order by 1").fetchall()
    assert len({sender for sender, _ in found}) == len(found)
    return dict(found)


def rows(connection: psycopg.Connection) -> int:
    found = connection.execute("select count(*) from staging.villages").fetchone()
    assert found is not None
    return int(found[0])


def test_what_the_database_refuses_stops_no_other(world: World, connection: psycopg.Connection) -> None:
    # stands for anything that passes all our checks and is refused all the same
    connection.execute("alter table staging.villages add constraint refused check (households is distinct from 666)")
    for sender, number in (("22333", 1), ("22366", 666), ("22390", 2)):
        world.put(sender, f"A,{number},900\nB,3,9\n")
    world.receive(connection)
    done = stage(world.tools(connection), pending(connection))
    assert (len(done.staged), len(done.rejected)) == (2, 1)
    assert states(connection) == {"22333": "staged", "22366": "rejected", "22390": "staged"}
    assert rows(connection) == 4 and pending(connection) == []
    (problems,) = connection.execute("select problems from intake.submission where sender = '22366'").fetchone() or ()
    assert problems == [{"code": "INTERNAL", "params": {"fault": "CheckViolation"}}]
    # once the fault is mended, what it refused is read again
    connection.execute("alter table staging.villages drop constraint refused")
    world.pipeline.replay(connection)
    assert states(connection) == dict.fromkeys(("22333", "22366", "22390"), "staged")


def test_a_run_that_was_stopped_is_taken_up(world: World, connection: psycopg.Connection) -> None:
    for n, sender in enumerate(("22333", "22366", "22390", "22402"), 1):
        world.put(sender, f"A,{n},9\n")
    world.receive(connection)

    def stop(delivery: Delivery) -> None:
        if delivery.sender == "22390":
            raise Stopped

    with pytest.raises(Stopped):
        stage(world.tools(connection, batch_deliveries=2), pending(connection), stop)
    assert states(connection) == {"22333": "staged", "22366": "staged"}
    assert [d.sender for d in pending(connection)] == ["22390", "22402"]
    done = stage(world.tools(connection, batch_rows=1), pending(connection))
    assert len(done.staged) == 2 and len(states(connection)) == 4 and rows(connection) == 4
    # what was pending a moment ago and is staged by now is not staged twice
    assert stage(world.tools(connection), [*pending(connection)]).staged == []


def test_two_runs_at_once_stage_a_delivery_once(world: World, connection: psycopg.Connection) -> None:
    for sender in ("22333", "22366"):
        world.put(sender, "A,1,9\n")
    world.receive(connection)
    waiting = pending(connection)
    written: list[str] = []

    def other() -> None:
        with closing(psycopg.connect(world.pipeline.url, autocommit=True)) as second:
            written.extend(stage(world.tools(second), waiting).staged)

    thread = Thread(target=other)
    thread.start()
    written.extend(stage(world.tools(connection), waiting).staged)
    thread.join()
    assert len(written) == len(set(written)) == 2 and rows(connection) == 2


def test_bytes_that_are_no_longer_kept_are_said_to_be_missing(world: World, connection: psycopg.Connection) -> None:
    world.put("22333", "A,1,9\n")
    world.put("22366", "A,1,9\nB,1,9\n")
    world.receive(connection)
    first = next(d for d in pending(connection) if d.sender == "22333")
    Path(world.pipeline.archive.path(first.sha256)).unlink()
    done = stage(world.tools(connection), pending(connection))
    assert (len(done.staged), len(done.rejected)) == (1, 1)
    assert states(connection) == {"22333": "rejected", "22366": "staged"}


def test_a_sheet_of_many_rows_is_counted_to_the_last(world: World, connection: psycopg.Connection) -> None:
    text = io.StringIO()
    for n in range(3_000):
        text.write(f"Thôn {n},{n % 7},{'x' if n % 3 == 0 else n}\n")
    world.put("22333", text.getvalue())
    world.receive(connection)
    stage(world.tools(connection), pending(connection))
    counts = connection.execute(
        "select rows_read, rows_accepted, rows_quarantined, rows_set_aside, state from intake.submission"
    ).fetchone()
    assert counts == (3_001, 2_000, 1_000, 1, "staged")
