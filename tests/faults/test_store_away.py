"""A store that goes away in the middle: while bytes are archived, while an archived object is read, while workbooks and answers are
written; and one that takes the connection and says nothing.

Each ends with an error that names the store and the remedy, the warehouse is as before or as after, and the next run completes it.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import assets.returns.answers
import assets.returns.returned
from assets.intake import stores
from assets.intake.archive import Archive
from assets.intake.sources.pull import pull
from assets.intake.stores import StoreFailed, open_store
from pipelines.cli_errors import explain
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv
from tests.e2e.sources.kinds import HEAD as SOURCE_HEAD
from tests.e2e.sources.kinds import Rest
from tests.e2e.sources.stores import S3, Sftp, stores_file
from tests.e2e.sources.suite import villages
from tests.faults.test_server_stopped import first, second, seen
from tests.faults.worlds import whole

QUICK = {"config_kwargs": {"connect_timeout": 1, "read_timeout": 1, "retries": {"max_attempts": 0}}}


class Away:
    """A store that can be stopped and started again at its address, with all that it had."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        if kind == "s3":
            self.s3 = S3()
            self.url, self.options = "s3://kho", {**self.s3.options, **QUICK}
            self.port = int(self.s3.url.rpartition(":")[2])
        else:
            self.sftp = Sftp(folder)
            self.url, self.options = "sftp://127.0.0.1", self.sftp.options
            self.port = self.sftp.port
        self.up = True

    def stop(self) -> None:
        if not self.up:
            return
        self.up = False
        if self.kind == "s3":
            self.s3.server.stop()
        else:
            self.sftp.stop()

    def start(self) -> None:
        if self.up:
            return
        self.up = True
        if self.kind == "s3":
            from moto.server import ThreadedMotoServer

            # what it holds belongs to the process
            self.s3.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
            self.s3.server.start()
        else:
            self.sftp.start(self.port)

    def close(self) -> None:
        self.stop()
        if self.kind == "sftp":
            self.sftp.loop.call_soon_threadsafe(self.sftp.loop.stop)
            self.sftp.thread.join(10)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    made = Away(request.param, tmp_path / "store")
    for name, value in stores_file(tmp_path / "stores.yaml", made.url, made.options).items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


def _once(patch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], None]) -> None:
    """Have something happen before the next call of a function."""
    work = getattr(owner, name)

    def acted(*args: Any, **named: Any) -> Any:
        act()
        return work(*args, **named)

    patch.setattr(owner, name, acted)


def _in_the_middle(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Have something happen after the first bytes of an object were taken from their source."""
    copy = Archive._copy

    def copied(self: Archive, source: Any, to: str) -> Any:
        class Source:
            def read(self, size: int) -> bytes:
                data: bytes = source.read(size)
                act()
                return data

        return copy(self, Source(), to)  # type: ignore[arg-type]

    patch.setattr(Archive, "_copy", copied)


POINTS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch, Callable[[], None]], None]]] = {
    "before an object is written": ("archive", lambda p, act: _once(p, Archive, "put", act)),
    "while an object is written": ("archive", _in_the_middle),
    "before an object has its name": ("archive", lambda p, act: _once(p, Archive, "_sound", act)),
    "before an object is read": ("archive", lambda p, act: _once(p, Archive, "read", act)),
}


def _answered(world: World, names: list[str] | None = None) -> list[str]:
    with world.pipeline.connection() as connection:
        return world.pipeline.answer(connection, names)


@pytest.mark.parametrize(
    ("point", "store"),
    [*((point, "sftp") for point in POINTS), ("while an object is written", "s3"), ("before an object is read", "s3")],
    indirect=["store"],
)
def test_the_archive_goes_away(point: str, store: Away, make_world: Make, tmp_path: Path) -> None:
    what, broken = POINTS[point]
    world = make_world(archive=f"{store.url}/{tmp_path.name}/archive")
    first(world)
    world.run()
    before = seen(world)
    second(world)
    stores.forget()
    with pytest.MonkeyPatch.context() as patch:
        broken(patch, store.stop)
        with pytest.raises(StoreFailed, match=f"the {what} cannot be reached or failed") as failed:
            world.pipeline.run()
    _said(failed.value)
    # nothing of what could not be read was refused
    assert seen(world) == before
    assert world.rows("select count(*) from intake.submission where state = 'rejected'") == [(0,)]
    store.start()
    world.run()
    whole(world)
    assert (
        world.rows("select count(*) from intake.submission where state = 'accepted'") == [(6,)]
        and seen(world) != before
    )
    assert world.run().published is None


def _said(error: StoreFailed) -> None:
    (line,) = explain(error)
    assert line == str(error) and "run again: nothing is lost" in line
    assert not re.search(r"127\.0\.0\.1|localhost|056|secret", line)


WRITTEN = {
    "answers": (assets.returns.answers, "answer", "the store of the answers (LIENTHONG_ANSWERS) cannot be reached"),
    "workbooks": (
        assets.returns.returned,
        "_keep",
        "the store of the returned workbooks (LIENTHONG_RETURNS) cannot be reached",
    ),
}


@pytest.mark.parametrize(("what", "store"), [("answers", "sftp"), ("workbooks", "s3")], indirect=["store"])
def test_a_store_goes_away_while_senders_are_answered(what: str, store: Away, make_world: Make, tmp_path: Path) -> None:
    owner, name, text = WRITTEN[what]
    root = f"{store.url}/{tmp_path.name}"
    world = make_world(returns=f"{root}/returns", answers=f"{root}/answers")
    first(world)
    world.run()
    shown = seen(world)
    stores.forget()
    with pytest.MonkeyPatch.context() as patch:
        _once(patch, owner, name, store.stop)
        with pytest.raises(StoreFailed, match=re.escape(text)) as failed:
            _answered(world)
    _said(failed.value)
    assert seen(world) == shown  # published it was before
    store.start()
    # nobody was told, so that it is still to be told
    assert len(_answered(world)) == 3
    for folder, ending in (("answers", ".json"), ("returns", ".xlsx")):
        fs, base = open_store(f"{root}/{folder}")
        assert len([p for p in fs.find(base) if p.endswith(ending) and "/." not in p]) == 3


@pytest.mark.parametrize("store", ["sftp"], indirect=True)
def test_an_archive_that_is_away_is_not_the_sources_fault(store: Away, make_world: Make, tmp_path: Path) -> None:
    world = make_world(archive=f"{store.url}/{tmp_path.name}/archive")
    rest = Rest(tmp_path / "token")
    try:
        source = rest.source(world.communes[0], "villages")
        rest.hold(SOURCE_HEAD, villages(*"ABC"))
        pipeline = world.pipeline
        with pipeline.connection() as connection:
            assert pipeline.archive.root
            store.stop()
            with pytest.raises(StoreFailed, match="the archive cannot be reached"):
                pull(connection, pipeline.archive, source, pipeline.contracts["villages"])
        assert world.rows("select count(*) from ops.source_state") == [(0,)]
        store.start()
        with world.pipeline.connection() as connection:
            assert pull(connection, world.pipeline.archive, source, pipeline.contracts["villages"]).rows == 3
        assert world.rows("select outcome from ops.source_pull order by pull_id") == [("lost",), ("delivered",)]
    finally:
        rest.close()


class Silent:
    """A server that takes connections and never answers."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_server(("127.0.0.1", port))
        self.taken: list[socket.socket] = []
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self) -> None:
        while True:
            try:
                self.taken.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)
        for one in self.taken:
            one.close()


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_store_that_says_nothing_is_given_up(store: Away, make_world: Make, tmp_path: Path) -> None:
    world = make_world(archive=f"{store.url}/{tmp_path.name}/archive")
    first(world)
    world.run()
    before = seen(world)
    second(world)
    store.stop()
    silent = Silent(store.port)
    try:
        with pytest.raises(StoreFailed, match="the archive cannot be reached") as failed:
            world.pipeline.run()
        assert silent.taken  # it was asked
    finally:
        silent.close()
    _said(failed.value)
    assert seen(world) == before
    store.start()
    world.run()
    whole(world)
    assert world.rows("select count(*) from intake.submission where state = 'accepted'") == [(6,)]


def test_how_long_a_silent_store_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes at most, of whatever tries the driver and the library under it make."""
    monkeypatch.delenv("LIENTHONG_STORES", raising=False)
    fs, _ = open_store("s3://kho/x", {"key": "k", "secret": "${env:HOME}", "endpoint_url": "http://127.0.0.1:1"})
    config = fs.config_kwargs
    tries = fs.retries * config["retries"]["total_max_attempts"]
    assert tries * max(config["read_timeout"], config["connect_timeout"]) <= 120


@pytest.mark.parametrize("gone", ["empty", "absent"])
def test_an_archive_whose_disk_is_not_mounted_refuses_nothing(gone: str, make_world: Make, tmp_path: Path) -> None:
    """What was received and not read yet is not refused as lost: a folder where nothing is, is no archive that lost an object."""
    folder = tmp_path / "archive"
    world = make_world(archive=str(folder))
    world.drop(
        world.communes[0], text_csv([HEAD, ["Thôn A", "Thôn", 10, 40]]), "a.csv", at=datetime(2026, 7, 2, tzinfo=UTC)
    )
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        assert len(pipeline.receive(connection).fresh) == 1
    folder.rename(tmp_path / "elsewhere")
    if gone == "empty":
        folder.mkdir()
    pipeline = world.pipeline
    with pipeline.connection() as connection, pytest.raises(StoreFailed, match="see that its disk is mounted"):
        pipeline.stage(connection)
    assert world.rows("select count(*) from intake.submission") == [(0,)]
    if gone == "empty":
        folder.rmdir()
    (tmp_path / "elsewhere").rename(folder)
    world.run()
    assert world.rows("select state from intake.submission") == [("accepted",)]
