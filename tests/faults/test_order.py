"""Law 2: the same files and decisions, in any order and over any number of runs, make the same warehouse.

The files keep their times of receipt; what differs is when each comes to the pipeline's notice, with what others, and what
has been decided by then. A decision names a pair: one that was made before the right predecessor was there lapses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from assets.core.decisions import decide, waive, withdraw
from tests.e2e.flows import World, text_csv, villages
from tests.faults.worlds import Copies, picture, same, whole

START = datetime(2026, 10, 1, tzinfo=UTC)


def _list(size: int, more: int = 0, bad: bool = False) -> bytes:
    rows: list[tuple[Any, ...]] = [(f"Thôn {n}", 10 + n + more, 50 + n + more) for n in range(size)]
    if bad:
        rows[1] = (rows[1][0], "chưa rõ", 51)
        rows[2] = (rows[2][0], 30_000, 40_000)
    return villages(*rows)


@dataclass
class File:
    name: str
    period: str
    data: bytes
    commune: int
    hour: int
    sidecar: dict[str, Any] | None = None


FILES = [
    File("q1.xlsx", "2026-Q1", _list(8), 0, 0),
    File("q1_sua.xlsx", "2026-Q1", _list(8, 1), 0, 1),
    File("q2.xlsx", "2026-Q2", _list(9, 2, bad=True), 0, 2),
    File("q3_thieu.xlsx", "2026-Q3", _list(4, 3), 0, 3),
    File("q2_dau.xlsx", "2026-Q2", _list(9, 7), 0, 1),
    File("q1.csv", "2026-Q1", text_csv([("Tên thôn", "Số hộ", "Số khẩu"), ("Cồn", 1, 2), ("Đá", 3, 4), ("Gò", 5, 6)]), 1, 4),
    File("q2.csv", "2026-Q2", text_csv([("Tên thôn", "Số hộ", "Số khẩu"), ("Cồn", 2, 3), ("Đá", 4, 5), ("Gò", 6, 7)]), 1, 9),
    File("q2_som.csv", "2026-Q2", text_csv([("Tên thôn", "Số hộ", "Số khẩu"), ("Cồn", 7, 8)]), 1, 5),
    File("q3.csv", "2026-Q3", text_csv([("Tên thôn", "Số hộ", "Số khẩu"), ("Cồn", 9, 9), ("Đá", 9, 9), ("Gò", 9, 9)]), 1, 6),
]  # fmt: skip


@dataclass
class Set:
    """The whole set: files, the withdrawal among them, and the decisions; what it means, and each one's predecessor."""

    empty: World
    copies: Copies
    files: list[File]
    outcome: dict[str, list[Any]]
    predecessors: dict[str, str | None]
    ids: dict[str, str]


def _drop(world: World, file: File) -> str:
    sender = world.communes[file.commune]
    return world.drop(
        sender, file.data, file.name, period=file.period, at=START + timedelta(hours=file.hour), sidecar=file.sidecar
    )


def _ids(world: World) -> dict[str, str]:
    return {
        r[0]: r[1]
        for r in world.rows("select file_name || ' ' || period || ' ' || sender, submission_id from intake.submission")
    }


def _key(world: World, file: File) -> str:
    return f"{file.name} {file.period} {world.communes[file.commune]}"


def _with(world: World, work: Callable[[psycopg.Connection], Any]) -> None:
    with closing(psycopg.connect(world.url, autocommit=True)) as connection:
        work(connection)


def _predecessors(world: World) -> dict[str, str | None]:
    return dict(
        world.rows(
            "select u.submission_id, p.submission_id from core.standing s join intake.submission u using (submission_no) "
            "left join intake.submission p on p.submission_no = s.predecessor_no where s.publish_to is null"
        )
    )  # fmt: skip


def _held(world: World) -> list[str]:
    return [r[0] for r in world.rows("select submission_id from intake.submission where state = 'held' order by 1")]


def _last(world: World, ids: dict[str, str], files: list[File]) -> None:
    """What is decided in the end, when everything is there."""
    _with(world, lambda c: decide(c, ids[_key(world, files[3])], accept=True, reason="đã xác minh", by="thử"))
    world.run()


def _anytime(world: World, ids: dict[str, str], files: list[File]) -> dict[str, Callable[[], None]]:
    """Decisions that name no pair, each by the submission that it is about."""
    second, late = ids[_key(world, files[2])], ids[_key(world, files[8])]
    return {
        second: lambda: _with(
            world, lambda c: waive(c, second, rule="households_bounds", row=4, reason="đúng", by="thử")
        ),
        late: lambda: _with(world, lambda c: withdraw(c, late, reason="gửi nhầm", by="thử")),
    }


@pytest.fixture(scope="module")
def everything(copies: Copies, _empty: World) -> Set:
    world = copies.of(_empty)
    for file in FILES:
        _drop(world, file)
    world.run()
    ids = _ids(world)
    # the sender takes its correction back
    taken = ids[_key(world, FILES[1])]
    files = [*FILES, File("rut.yaml", "2026-Q1", f"dataset: villages\nwithdraws: {taken}\n".encode(), 0, 8)]
    _drop(world, files[-1])
    world.run()
    ids = _ids(world)
    for work in _anytime(world, ids, files).values():
        work()
    world.run()
    predecessors = _predecessors(world)
    _last(world, ids, files)
    whole(world)
    return Set(_empty, copies, files, picture(world), predecessors, ids)


def test_the_set_has_every_kind_of_fate(everything: Set) -> None:
    states = {s[13] for s in everything.outcome["submissions"]}
    assert states == {"accepted", "partly", "held", "superseded", "withdrawn"}
    assert len(everything.outcome["history"]) > 20


@pytest.mark.parametrize("seed", range(5))
def test_any_order_any_grouping_any_number_of_runs(seed: int, everything: Set) -> None:
    random = Random(seed)
    world = everything.copies.of(everything.empty)
    files = random.sample(everything.files, len(everything.files))
    waiting = _anytime(world, everything.ids, everything.files)
    while files:
        for file in [files.pop() for _ in range(min(len(files), random.randint(1, 3)))]:
            _drop(world, file)
        for _ in range(random.randint(1, 2)):
            world.run()
        known = set(_ids(world).values())
        for name in [n for n in waiting if n in known and (random.random() < 0.5 or not files)]:
            waiting.pop(name)()
        now = _predecessors(world)
        for name in _held(world):
            if now[name] != everything.predecessors[name]:  # there is another to come between them
                accept = random.random() < 0.7
                _with(world, lambda c, n=name, a=accept: decide(c, n, accept=a, reason="vội", by="thử"))
        if random.random() < 0.5:
            world.run()
    world.run()
    _last(world, everything.ids, everything.files)
    same(picture(world), everything.outcome)
    whole(world)
    assert world.run().published is None
    everything.copies.drop(world)
