"""Two runs at once, a run again, and files that change, vanish or are none: the same warehouse, and nobody is stopped."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

import assets.staging.stage
from assets.intake.ledger import pending
from assets.marts.publish import Busy, publishing
from pipelines.flow import Pipeline
from pipelines.preview import dry_run
from tests.e2e.flows import HEAD, World, codes, text_csv, villages
from tests.faults.driver import start
from tests.faults.worlds import Copies, picture, same, whole


def _list(n: int = 0, size: int = 6) -> bytes:
    return villages(*((f"Thôn {i}", 10 + n, 50 + n) for i in range(size)))


def _filled(world: World, communes: int = 12) -> World:
    for i, sender in enumerate(world.communes[:communes]):
        for n, period in enumerate(("2026-Q1", "2026-Q2")):
            world.drop(sender, _list(n, 6 - (i % 3 == 0) * n), period=period)
        if i % 4 == 0:
            world.drop(sender, _list(5), "sua.xlsx")
    return world


def _threads(*works: Any) -> list[Exception]:
    """Run all at once; what went wrong in them."""
    wrong: list[Exception] = []

    def guarded(work: Any) -> None:
        try:
            work()
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


@pytest.mark.parametrize("first", [True, False], ids=["the first run of all", "a later run"])
def test_two_processes_at_once(first: bool, copies: Copies, world: World) -> None:
    begun = copies.new() if first else world
    if not first:
        begun.drop(begun.communes[0], _list(9), period="2025-Q4")
        begun.run()
    _filled(begun)
    together, alone = copies.of(begun), copies.of(begun)
    processes = [start(together.settings) for _ in range(2)]
    for process in processes:
        process.join()
    assert [p.exitcode for p in processes] == [0, 0]
    alone.run()
    same(picture(together), picture(alone))
    whole(together)
    assert together.run().published is None


def test_a_pull_beside_two_runs(world: World) -> None:
    _filled(world, 4)
    home, sender = world.settings.home, world.communes[6]
    own = home / "own" / "2026-Q1" / sender
    own.mkdir(parents=True)
    for n in range(3):
        (own / f"thon{n}.csv").write_bytes(_list(n, 6 - n))
    (home / "sources").mkdir()
    (home / "sources" / f"{sender}.yaml").write_text(
        f'sender: "{sender}"\nsources:\n  - {{name: thon, kind: inbox, url: "{home / "own"}"}}\n', encoding="utf-8"
    )
    processes = [start(world.settings) for _ in range(2)]

    def pull() -> None:
        pipeline = Pipeline(world.settings)
        with pipeline.connection() as connection:
            outcomes.append(pipeline.pull(connection, f"{sender}/thon").outcome)

    outcomes: list[str] = []
    assert _threads(pull, pull) == []
    for process in processes:
        process.join()
    assert [p.exitcode for p in processes] == [0, 0]
    assert "delivered" in outcomes
    world.run()  # what came after the two had looked
    whole(world)
    with psycopg.connect(world.url) as connection:
        count = "select count(*), count(distinct sha256) from intake.delivery where sender = %s"
        assert connection.execute(count, [sender]).fetchone() == (3, 3)
    assert world.run().published is None


def test_two_that_stage_different_files_do_not_wait_for_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.drop(world.communes[0], _list())
    world.run()
    for sender in world.communes[1:3]:
        world.drop(sender, _list())
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.receive(connection)
        waiting = pending(connection)
    both = threading.Barrier(2)
    write = assets.staging.stage._write_dataset

    def at_once(*args: Any) -> Any:
        both.wait(30)  # each is in its transaction, and about to write
        return write(*args)

    monkeypatch.setattr(assets.staging.stage, "_write_dataset", at_once)

    def stage(delivery: Any) -> None:
        pipeline = world.pipeline
        with pipeline.connection() as connection:
            assert pipeline._stage(connection, [delivery]).staged

    assert _threads(*(lambda d=d: stage(d) for d in waiting)) == []
    monkeypatch.undo()
    world.run()
    assert len(world.rows("select from mart_v1.villages")) == 18
    whole(world)


def test_a_second_publisher_waits_and_then_says_that_it_is_busy(world: World) -> None:
    with (
        closing(psycopg.connect(world.url, autocommit=True)) as other,
        closing(psycopg.connect(world.url, autocommit=True)) as mine,
        publishing(other),
    ):
        with pytest.raises(Busy, match="try again"), publishing(mine, timeout_seconds=0.05):
            pass
        assert mine.execute("show lock_timeout").fetchone() == ("0",)
    with closing(psycopg.connect(world.url, autocommit=True)) as mine, publishing(mine, timeout_seconds=0.05):
        pass


def test_the_same_run_again_changes_nothing(world: World) -> None:
    _filled(world).run()
    before, counts, objects = picture(world), world.counts(), world.archived()
    for _ in range(2):
        ran = world.run()
        assert (ran.received, ran.staged, ran.rejected, ran.published) == ([], [], [], None)
        assert not any(m.changed for m in ran.merged)
    same(picture(world), before)
    again = world.counts()
    assert {t: n for t, n in again.items() if n != counts[t]} == {"core.publish": counts["core.publish"] + 2}
    assert world.archived() == objects


@contextmanager
def _while_copying(pipeline: Pipeline, after: int, work: Any) -> Iterator[Pipeline]:
    """``work`` is done when that many files have been copied: the others have been looked at already."""

    def progress(step: str, done: int, total: int) -> None:
        if step == "receive" and done == after:
            work()

    pipeline.progress = progress
    yield pipeline


def test_files_that_change_after_they_were_looked_at(world: World, caplog: pytest.LogCaptureFixture) -> None:
    senders = world.communes[:5]
    places = [world.drop(s, text_csv([HEAD, ("Thôn Một", "Thôn", 1, 2)]), "thon.csv") for s in senders]
    paths = [world.home / "inbox" / p for p in places]

    def change() -> None:
        with paths[1].open("ab") as file:
            file.write("Thôn Hai,Thôn,3,4\n".encode())
        paths[2].unlink()
        paths[3].write_bytes(b"")

    with _while_copying(world.pipeline, 1, change) as pipeline:
        pipeline.run()
    known = {r[0] for r in world.rows("select origin from intake.delivery")}
    assert known == {places[0], places[4]}
    world.run()
    assert world.open_villages(senders[1]) == {"Thôn Một": (1, 2), "Thôn Hai": (3, 4)}
    assert codes(world.submission(places[3])) == ["EMPTY_FILE"]
    assert world.rows("select from intake.delivery where origin = %s", [places[2]]) == []
    whole(world)


def test_what_is_no_file_is_left_and_stops_nobody(world: World) -> None:
    one, other = world.communes[:2]
    sound = world.drop(one, _list())
    folder = world.home / "inbox" / "2026-Q2" / one
    secret = world.home / "secret.csv"
    secret.write_bytes(text_csv([HEAD, ("Thôn Kín", "Thôn", 1, 2)]))
    (folder / "link.csv").symlink_to(secret)
    (folder / "nowhere.csv").symlink_to("gone.csv")
    (folder / "loop.csv").symlink_to("loop.csv")
    (folder / "up").symlink_to("..")
    (folder / "folder.xlsx").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (world.home / "inbox" / "2026-Q2" / other).symlink_to(folder)
    ran = world.run()
    assert len(ran.received) == 1
    assert {p.rsplit("/", 1)[1] for p in ran.growing} == {
        "link.csv", "nowhere.csv", "loop.csv", "up", "pipe.csv", other,
    }  # fmt: skip
    assert world.rows("select origin from intake.delivery") == [(sound,)]
    assert dry_run(world.pipeline).growing == ran.growing
    whole(world)


NAMES = [
    "a" * 250 + ".csv",
    "thôn số 1 (bản 2) & 'khác'.csv",
    'nháy " kép.csv',
    "dòng\nmới.csv",
    "thẻ\tcách.csv",
    "'; drop table intake.delivery; --.csv",
    "%s %(x)s {0} {x}.csv",
    "\u202exslx.nôht.csv",
    "\U0001f3e1 làng.csv",
    "..csv",
    "...",
    "-rf",
    "con.csv",
    "khoảng trắng .csv ",
    "\\N",
    os.fsdecode(b"\xff\xfe\x80.csv"),
]


def test_odd_names(world: World) -> None:
    senders = dict(zip(world.communes, NAMES, strict=False))
    for sender, name in senders.items():
        world.drop(sender, _list(), name)
    world.run()
    found = dict(world.rows("select sender, state from intake.submission"))
    hidden = {s for s, name in senders.items() if name.startswith(".")}
    assert found == dict.fromkeys(set(senders) - hidden, "accepted")
    ran = world.run()
    assert (ran.received, ran.published) == ([], None)
    whole(world)


# ------------------------------------------------------------------------------------------------------- the archive


def _object(world: World, origin: str) -> Any:
    ((sha256,),) = world.rows("select sha256 from intake.delivery where origin = %s", [origin])
    return world.home / "archive" / sha256[:2] / sha256


def _received(world: World) -> None:
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.receive(connection)


@pytest.mark.parametrize("damage", ["cut", "flipped", "sealed, cut", "sealed, flipped", "gone"])
@pytest.mark.parametrize("name", ["thon.csv", "lon.csv"])
def test_an_object_that_the_disk_lost_is_refused_and_said(
    name: str, damage: str, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "lon.csv":  # read in slices
        tools = Pipeline.tools
        monkeypatch.setattr(Pipeline, "tools", lambda *a: _sliced(tools(*a)))
    sender, other = world.communes[:2]
    rows = [HEAD, *((f"Thôn {n}", "Thôn", 10, 50) for n in range(8))]
    place = world.drop(sender, text_csv(rows), name)
    world.drop(other, _list())
    _received(world)
    stored = _object(world, place)
    data, kept = text_csv(rows), stored.read_bytes()
    if damage == "gone":
        stored.unlink()
    elif damage.startswith("sealed"):
        stored.write_bytes(kept[:-1] if damage.endswith("cut") else kept[:-20] + b"?" + kept[-19:])
    else:  # what is left is a sound CSV, as it was kept before objects were sealed: only its hash tells
        stored.write_bytes(data[: data.rfind(b"\n", 0, -1) + 1] if damage == "cut" else data.replace(b"50", b"51"))
    (world.home / "inbox" / place).unlink()
    world.pipeline.run()
    assert codes(world.submission(place)) == ["NOT_IN_ARCHIVE"]
    assert any(r.levelno == logging.ERROR and "archive" in r.getMessage() for r in caplog.records)
    assert world.open_villages(sender) == {} and len(world.open_villages(other)) == 6
    world.drop(sender, text_csv(rows), name)  # sent again, as the answer asks
    world.run()
    assert len(world.open_villages(sender)) == 8
    assert world.archived_bytes(stored.name) == data


def _sliced(tools: Any) -> Any:
    tools.large_bytes = 1
    return tools


def test_an_object_that_is_lost_is_stored_again_while_the_file_is_there(world: World) -> None:
    place = world.drop(world.communes[0], _list())
    _received(world)
    stored = _object(world, place)
    data = world.archived_bytes(stored.name)
    stored.write_bytes(stored.read_bytes()[:100])
    world.run()
    assert world.archived_bytes(stored.name) == data and len(world.open_villages(world.communes[0])) == 6


@pytest.mark.parametrize("slices", [False, True])
def test_a_replay_leaves_what_the_archive_has_lost_as_it_was(
    slices: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if slices:
        tools = Pipeline.tools
        monkeypatch.setattr(Pipeline, "tools", lambda *a: _sliced(tools(*a)))
    place = world.drop(world.communes[0], text_csv([HEAD, ("Thôn Một", "Thôn", 1, 2)]), "thon.csv")
    world.run()
    before = picture(world)
    _object(world, place).write_bytes(b"x")
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        done = pipeline.replay(connection)
        pipeline.publish(connection)
    assert (done.staged, done.rejected) == ([], [])
    same(picture(world), before)
