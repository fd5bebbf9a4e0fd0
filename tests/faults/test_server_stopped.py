"""The database server stopped in the middle, at once, as by a power cut: during COPY, merge and publish.

Each time the warehouse is as before or as after, never between; the next run completes it; the operator is told what to do.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines.cli_errors import explain
from pipelines.database import started
from tests.e2e.flows import HEAD, World, text_csv

POINTS = {
    "copy": "staging.villages",
    "ledger": "intake.assessment",
    "merge": "core.villages",
    "indicators": "core.indicator_value",
    "publish": "core.pointer",
}
"""Where the server is stopped: when this table is about to be written."""


class Server:
    """An embedded server of the test's own, which may be stopped without warning."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lienthong-"))
        self.up()

    def up(self) -> None:
        """Start it, and let it recover."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LC_ALL", "C")
            self.server = started(self.folder / "pg", self.folder / ".lock")
        self.url = self.server.get_uri()

    def stop_now(self) -> None:
        """Immediate shutdown: no checkpoint, no word to clients."""
        pid = int((self.folder / "pg" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        for _ in range(300):
            if not (self.folder / "pg" / "postmaster.pid").exists():
                return
            time.sleep(0.1)
        raise AssertionError("the server did not stop")

    def gone(self) -> None:
        """Stop it, and remove what it had."""
        self.stop_now()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.gone()


def seen(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """What readers see, without what counts attempts."""
    return {
        "villages": world.rows(
            "select village_name, commune_code, households, valid_from, valid_to from mart_v1.villages_history order by 1, 2, 4"
        ),
        "log": world.rows("select sender, dataset, period, state, rows_accepted from mart_v1.submission_log order by 1, 2, 3"),
        "indicators": world.rows("select indicator, variant, unit, period, value from mart_v1.indicator_value order by 1, 2, 3, 4"),
    }  # fmt: skip


def first(world: World) -> None:
    for commune in world.communes[:3]:
        world.drop(
            commune,
            text_csv([HEAD, *((f"Thôn {n}", "Thôn", 70 + n, 300) for n in range(5))]),
            "a.csv",
            period="2026-Q1",
        )


def second(world: World) -> None:
    for commune in world.communes[1:4]:
        world.drop(
            commune,
            text_csv([HEAD, *((f"Thôn {n}", "Thôn", 90 + n, 310) for n in range(6))]),
            "b.csv",
            period="2026-Q2",
        )


def new_world(server: Server, name: str, home: Path) -> World:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0 encoding 'UTF8'")  # type: ignore[call-overload]
        host = connection.info.host
    return World(f"postgresql://postgres@/{name}?host={host}", home)


def later(world: World, n: int) -> None:
    """What comes before the n-th stop."""
    for commune in world.communes[n : n + 3]:
        rows = ((f"Thôn {k}", "Thôn", 90 + 10 * n + k, 310) for k in range(6))
        world.drop(commune, text_csv([HEAD, *rows]), f"{n}.csv", period="2026-Q2" if n % 2 else "2026-Q3")


def stopped_at(point: str, world: World, server: Server) -> BaseException:
    """A run that is about to write a table when the server stops; how it failed."""
    with world.connection() as connection:
        connection.execute(
            "create or replace function public.wait() returns trigger language plpgsql as $$ begin perform pg_sleep(120); "
            "return null; end $$"
        )
        connection.execute(
            f"create trigger wait before insert or update on {POINTS[point]} for each statement execute function public.wait()"  # type: ignore[call-overload]
        )
    failed: list[BaseException] = []

    def run() -> None:
        try:
            world.pipeline.run()
        except psycopg.Error as error:
            failed.append(error)

    running = threading.Thread(target=run)
    running.start()
    sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    for _ in range(600):
        if world.rows(sleeping)[0][0]:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the run did not come to the point")
    server.stop_now()
    running.join(120)
    assert not running.is_alive() and len(failed) == 1
    server.up()
    return failed[0]


def test_the_server_stops_and_the_next_run_completes(server: Server, tmp_path: Path) -> None:
    world = new_world(server, "stopped", tmp_path / "stopped")
    first(world)
    world.run()
    for n, point in enumerate(POINTS, 1):
        before = seen(world)
        later(world, n)
        assert explain(stopped_at(point, world, server)) == [
            "the connection to the database was lost; see that the server is up and run the same command again"
        ]
        assert seen(world) == before, point  # nothing of it shows
        with world.connection() as connection:
            connection.execute(f"drop trigger wait on {POINTS[point]}")  # type: ignore[call-overload]
        assert world.run().published is not None
        assert seen(world) != before, point
        assert world.rows("select count(*) from core.publish where state = 'open'") == [(0,)]
    assert world.run().published is None
    # where nothing goes wrong, and all of it lies there at once
    undisturbed = new_world(server, "undisturbed", tmp_path / "undisturbed")
    first(undisturbed)
    for n in range(1, len(POINTS) + 1):
        later(undisturbed, n)
    undisturbed.run()
    assert seen(world) == seen(undisturbed)
