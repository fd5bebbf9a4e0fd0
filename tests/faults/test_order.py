"""Law 2: the same files and decisions, in any order and over any number of runs, make the same warehouse.

The files keep their times of receipt; what differs is when each comes to the pipeline's notice, with what others, and what
has been decided by then. A decision names a pair: one that was made before the right predecessor was there lapses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from assets.core.decisions import decide, waive, withdraw
from assets.marts.publish import back_to
from tests.e2e.flows import World, text_csv, villages
from tests.e2e.test_datasets import column, contract
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


@pytest.mark.parametrize("seed", range(3))
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


# --- several senders over one entity ---------------------------------------------------------------------------------

WORKS = contract(
    "works",
    "Công trình",
    [
        column("work", "Tên công trình", "name", key=1, synonyms=["Công trình"]),
        column("owner", "Chủ đầu tư", "name", required=True),
        column("cost", "Kinh phí", "money", "integer", own={"precedence": ["STC"]}),
        column("built", "Năm xây dựng", "integer", "integer", own={"survivorship": "majority"}),
        column("state", "Tình trạng", "text", own={"survivorship": "latest"}),
        column("rooms", "Số phòng", "integer", "integer"),
        column("seats", "Số chỗ", "integer", "integer"),
    ],
    delivery="increment", validTime="asOf", senderScope="all", senders=["departments"], precedence=["SNV", "STC"],
    periodType="quarter", staleAfter="P8M", survivorshipGroups=[["rooms", "seats"]],
)  # fmt: skip
_HEAD = ("Tên công trình", "Chủ đầu tư", "Kinh phí", "Năm xây dựng", "Tình trạng", "Số phòng", "Số chỗ")


def _works(*rows: tuple[Any, ...]) -> bytes:
    return text_csv([_HEAD, *rows])


A, B, C = "Trường A", "Chợ B", "Cầu C"
WORK_FILES = [
    ("SNV", "2025-Q4", 0, _works((A, "Xã", 5_000_000, 1999, "tốt", 10, 100), (B, "Xã", "", 2001, "", "", ""))),
    ("STC", "2025-Q4", 1, _works(("TRƯỜNG A", "Huyện", 7_000_000, 1998, "cũ", 12, ""), (B, "XÃ", 1_000_000, "", "", 3, 9))),
    ("SXD", "2026-Q1", 2, _works((A, "Xã", 6_000_000, 1998, "hỏng", 11, 110), (C, "Tỉnh", 9_000_000, 2010, "", "", ""))),
    ("SNV", "2026-Q2", 3, _works((A, "Xã", "", 1999, "sửa", 10, 100), (B, "Xã", 2_000_000, 2002, "tốt", 4, ""))),
    ("STC", "2025-Q4", 4, _works((A, "Huyện", 7_500_000, 1998, "cũ", 12, 90), (B, "Xã", "nhiều", "", "", 3, 9))),
    ("SXD", "2026-Q1", 5, _works((C, "Tỉnh", 9_500_000, 2011, "mới", "", ""), (A, "Xã", 6_000_000, 1998, "hỏng", 11, 110))),
    ("SCT", "2026-Q1", 6, _works((C, "Huyện", "", 2012, "mới", 2, 20), (A, "Huyện", 1, 1997, "mới", 12, 120))),
]  # fmt: skip
"""(sender, period, hour of receipt, file); the fifth has a row that its sender's first file has to carry."""


def _drop_work(world: World, n: int) -> None:
    sender, period, hour, data = WORK_FILES[n]
    world.drop(sender, data, f"{n}.csv", period=period, at=START + timedelta(hours=hour))


def _golden(world: World) -> tuple[list[Any], list[Any]]:
    """(history, conflicts) as readers' publish has them."""
    disputed = (
        "select dataset, entity_id, attribute, valid_from, valid_to, chosen, others, senders, rule, since "
        "from core.conflict, core.pointer where publish_from <= shows and (publish_to is null or publish_to > shows) "
        "order by entity_id, attribute, valid_from"
    )
    return world.rows("select * from mart_v1.works_history order by entity_id, valid_from"), world.rows(disputed)


def _take_back(world: World, ids: dict[str, str]) -> None:
    """The better sender takes his last file back."""
    name = next(v for k, v in ids.items() if k.startswith("3.csv "))
    _with(world, lambda c: withdraw(c, name, reason="gửi nhầm", by="thử"))


@pytest.fixture(scope="module")
def works_empty(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("works")
    world = copies.new(contracts=(folder,))
    world.contract(WORKS)
    with world.pipeline.connection():
        pass
    return world


@pytest.fixture(scope="module")
def works(copies: Copies, works_empty: World) -> tuple[World, tuple[list[Any], list[Any]], tuple[list[Any], list[Any]]]:
    """Everything at once; what it means before and after the better sender's withdrawal."""
    world = copies.of(works_empty)
    for n in range(len(WORK_FILES)):
        _drop_work(world, n)
    world.run()
    before = _golden(world)
    assert world.proved("works") == len(before[0])
    _take_back(world, _ids(world))
    world.run()
    return world, before, _golden(world)


def test_several_senders_dispute_by_every_rule(
    works: tuple[World, tuple[list[Any], list[Any]], tuple[list[Any], list[Any]]],
) -> None:
    world, (history, disputed), (_, after) = works
    assert {c[8] for c in disputed} == {"precedence", "majority", "later as-of", "later receipt", "fuller row"}
    assert world.proved("works")
    assert len(history) > 8 and after and len(after) < len(disputed)
    assert world.run().published is None


@pytest.mark.parametrize("seed", range(3))
def test_several_senders_in_any_order_mean_the_same(
    seed: int, copies: Copies, works_empty: World, works: tuple[World, tuple[Any, Any], tuple[Any, Any]]
) -> None:
    _, before, after = works
    random = Random(seed)
    world = copies.of(works_empty)
    waiting = random.sample(range(len(WORK_FILES)), len(WORK_FILES))
    while waiting:
        for n in [waiting.pop() for _ in range(min(len(waiting), random.randint(1, 3)))]:
            _drop_work(world, n)
        for _ in range(random.randint(1, 2)):
            world.run()
    assert _golden(world) == before
    shown = world.rows("select shows from core.pointer")[0][0]
    _take_back(world, _ids(world))
    world.run()
    assert _golden(world) == after
    assert world.run().published is None
    whole(world)
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.replay(connection)
        pipeline.publish(connection)
    assert _golden(world) == after  # read again, the same
    with world.connection() as connection:
        back_to(connection, shown)
    assert _golden(world) == before
    copies.drop(world)
