"""Inbox, archive and returned workbooks on S3 and SFTP; a sender's own inbox as a kind of source; stores that go away."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from assets.intake import stores
from assets.intake.archive import Archive
from assets.intake.inbox import look
from assets.intake.sources.pull import Pulled, pull
from assets.intake.sources.trial import try_source
from assets.intake.stores import BadStores, StoreFailed, open_store
from assets.intake.waiting import waiting
from pipelines.cli_errors import explain
from pipelines.doctor import examine
from schemas.sources import Source
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv
from tests.e2e.sources.kinds import declared
from tests.e2e.sources.stores import S3, Sftp, stores_file

PERIOD = "2026-Q2"


class Store(Protocol):
    options: dict[str, Any]

    def put(self, path: str, data: bytes) -> None: ...


class Local:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.options = folder, {}  # type: ignore[var-annotated]

    def put(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    made = S3()
    yield made
    made.close()


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    made = Sftp(tmp_path / "sftp")
    yield made
    made.close()


@pytest.fixture(params=["local", "s3", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Store]:
    """Address of an empty folder, and what puts files there."""
    if request.param == "local":
        return str(tmp_path / "gui"), Local(tmp_path)
    store = request.getfixturevalue(request.param)
    return ("s3://kho" if request.param == "s3" else "sftp://127.0.0.1") + f"/{tmp_path.name}/gui", store


class Under:
    """A store beneath a folder."""

    def __init__(self, url: str, store: Store) -> None:
        self.url, self.store = url, store
        self.prefix = url.partition("://")[2].partition("/")[2] if "://" in url else "gui"

    def put(self, path: str, data: bytes) -> None:
        self.store.put(f"{self.prefix}/{path}", data)


def inbox_of(sender: str, place: tuple[str, Store]) -> Source:
    url, store = place
    options = {k: v for k, v in store.options.items() if k != "secret"}
    if "secret" in store.options:
        options["secret"] = "${env:STORE_SECRET}"
    return declared(sender, name="hop_thu", kind="inbox", url=url, options=options)


def pulled(world: World, source: Source) -> Pulled:
    with world.pipeline.connection() as connection:
        return pull(connection, world.pipeline.archive, source, None, settle_seconds=0)


def villages(*names: str) -> bytes:
    return text_csv([HEAD, *((n, "Thôn", 100 + i, 400 + i) for i, n in enumerate(names))])


def test_a_senders_own_inbox(place: tuple[str, Store], world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The conformance suite as far as files go: whole, what is new, twice, empty, drift."""
    monkeypatch.setenv("STORE_SECRET", "s")
    sender, folder = world.communes[0], Under(*place)
    source = inbox_of(sender, place)
    assert pulled(world, source).fault == "NO_FOLDER"
    folder.put(f"{PERIOD}/a.csv", villages("A", "B", "C", "D"))
    tried = try_source(source, None)
    assert (list(tried.faults), tried.rows) == ([], 1)
    done = pulled(world, source)
    assert (done.outcome, done.rows) == ("delivered", 1), done
    assert world.rows("select sender, period, origin from intake.delivery") == [
        (sender, PERIOD, f"{PERIOD}/{sender}/a.csv")
    ]
    assert pulled(world, source).outcome == "empty"
    world.run()
    folder.put(f"{PERIOD}/b.csv", villages("A", "B", "C", "D", "Đ"))
    assert pulled(world, source).rows == 1
    folder.put(f"{PERIOD}/c.csv", b"")
    folder.put(f"{PERIOD}/d.csv", "Tên,hh\nX,1\n".encode())
    folder.put(f"{PERIOD}/{world.communes[1]}/e.csv", villages("Của xã khác"))  # nobody speaks for another
    assert pulled(world, source).rows == 3
    world.run()
    assert {r[0] for r in world.rows("select sender from intake.submission")} == {sender}
    states = world.rows("select file_name, state from intake.submission order by file_name")
    assert dict(states)["b.csv"] == "accepted" and {dict(states)[n] for n in ("c.csv", "d.csv", "e.csv")} == {
        "rejected"
    }
    names = world.rows("select village_name from mart_v1.villages_history where valid_to is null")
    assert len(names) == 5
    assert [r[0] for r in world.rows("select outcome from ops.source_pull order by pull_id")] == [
        "failed", "delivered", "empty", "delivered", "delivered"
    ]  # fmt: skip


@pytest.fixture(params=["s3", "sftp"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """Address of a folder on a store whose options are in the file of stores."""
    store = request.getfixturevalue(request.param)
    url = ("s3://kho" if request.param == "s3" else "sftp://127.0.0.1") + f"/{tmp_path.name}"
    for name, value in stores_file(tmp_path / "stores.yaml", url, store.options).items():
        monkeypatch.setenv(name, value)
    return url, store


def test_everything_elsewhere(elsewhere: tuple[str, Any], make_world: Make, tmp_path: Path) -> None:
    """Files dropped, read by readers in other processes, archived, answered: nothing of it on this machine's disk."""
    url, store = elsewhere
    world = make_world(inbox=f"{url}/inbox", archive=f"{url}/archive", returns=f"{url}/returns")
    sender, other = world.communes[:2]
    store.put(f"{tmp_path.name}/inbox/{PERIOD}/{sender}/a b.csv", villages("A", "B"))
    store.put(
        f"{tmp_path.name}/inbox/{PERIOD}/{other}/c.csv",
        text_csv([HEAD, ("C", "Thôn", "nhiều", 4), ("D", "Thôn", 5, 20)]),
    )
    world.run()
    assert world.rows("select sender, state from intake.submission order by sender") == [
        (sender, "accepted"),
        (other, "partly"),
    ]
    with world.pipeline.connection() as connection:
        world.pipeline.answer(connection)
        fs, root = open_store(f"{url}/returns")
        assert len([p for p in fs.find(root) if p.endswith(".xlsx")]) == 2
        # looked at again, nothing waits, and no file is fetched to know it
        assert waiting(connection, f"{url}/inbox", 0).unknown == ()
    assert world.run().published is None
    fs, root = open_store(f"{url}/archive")
    kept = fs.find(root)
    assert len(kept) == 2 and not [p for p in kept if "partial" in p]
    assert not (world.pipeline.settings.home / "archive").exists()


def test_an_archive_elsewhere_keeps_what_it_was_given(elsewhere: tuple[str, Any]) -> None:
    url, _ = elsewhere
    archive = Archive(f"{url}/archive")
    data = bytes(range(256)) * 20_000
    for _ in range(2):
        stored = archive.put(io.BytesIO(data))
        assert archive.holds(stored)
        with archive.open(stored.sha256) as file:
            assert file.read() == data


def test_a_store_that_goes_away_loses_nothing(
    sftp: Sftp, make_world: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()
    source = declared(world.communes[0], name="hop_thu", kind="inbox", url="sftp://127.0.0.1/gui", options=sftp.options)
    sftp.put(f"gui/{PERIOD}/a.csv", villages("A", "B"))
    port = sftp.port
    assert try_source(source, None).rows == 1  # a connection is kept from now on
    sftp.stop()
    done = pulled(world, source)
    assert (done.outcome, done.fault) == ("failed", "UNREACHABLE") and "127.0.0.1" not in str(done)
    # others' files are not held up by it
    world.drop(world.communes[1], villages("C"), "c.csv", at=datetime(2026, 7, 2, tzinfo=UTC))
    world.run()
    assert world.rows("select state from intake.submission") == [("accepted",)]
    sftp.start(port)
    assert pulled(world, source).rows == 1
    world.run()
    assert world.rows("select count(*) from intake.submission where state = 'accepted'") == [(2,)]


def test_a_host_that_is_not_the_known_one_gets_nothing(sftp: Sftp, make_world: Make, tmp_path: Path) -> None:
    world = make_world()
    sftp.put(f"gui/{PERIOD}/a.csv", villages("A"))
    known = Path(sftp.options["known_hosts"])
    other = Sftp(tmp_path / "other")
    try:
        key = (Path(other.options["known_hosts"]).read_text()).split(" ", 1)[1]
        known.write_text(f"[127.0.0.1]:{sftp.port} {key}")
        source = declared(
            world.communes[0], name="hop_thu", kind="inbox", url="sftp://127.0.0.1/gui", options=sftp.options
        )
        assert pulled(world, source).fault == "LOGIN_REFUSED"
        for hosts in ({}, {"known_hosts": None}):  # who names none would take any
            options = {k: v for k, v in sftp.options.items() if k != "known_hosts"} | hosts
            unnamed = declared(
                world.communes[0], name="hop_thu", kind="inbox", url="sftp://127.0.0.1/gui", options=options
            )
            assert pulled(world, unnamed).fault == "BAD_OPTIONS"
    finally:
        other.close()


def test_a_wrong_file_of_stores_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stores.yaml"
    monkeypatch.setenv("LIENTHONG_STORES", str(file))
    with pytest.raises(BadStores, match="stores.yaml cannot be read"):
        open_store("s3://kho/x")
    for text, said in (
        ("a: [", "this is no YAML"),
        ("'s3://': secret", "write an address or its beginning"),
        (
            "'s3://':\n  key: k\n's3://kho':\n  key: k\n  secret: bimat123\n",
            r"line 3: a secret does not stand here.*\(secret\)",
        ),
        ("'s3://': {client_kwargs: {aws_session_token: bimat123}}", r"\(aws_session_token\)"),
        ("'abfs://': {connection_string: AccountKey=bimat123}", r"\(connection_string\)"),
        ("'x://': {hosts: [{password: bimat123}]}", r"\(password\)"),
        ("'sftp://xa:bimat123@h': {port: 22}", "a password does not stand in the URL"),
    ):
        file.write_text(text)
        with pytest.raises(BadStores, match=said) as wrong:
            open_store("s3://kho/x")
        assert "bimat123" not in str(wrong.value)
        file.unlink()


def test_a_folder_that_cannot_be_read_holds_up_no_other(
    sftp: Sftp, make_world: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stores_file(tmp_path / "stores.yaml", "sftp://", sftp.options).items():
        monkeypatch.setenv(name, value)
    world = make_world(inbox="sftp://127.0.0.1/inbox")
    closed, other = world.communes[:2]
    for sender in (closed, other):
        sftp.put(f"inbox/{PERIOD}/{sender}/a.csv", villages("A"))
    sftp.closed.add(f"inbox/{PERIOD}/{closed}")
    ran = world.run()
    assert ran.unreadable == [f"{PERIOD}/{closed}"]
    assert world.rows("select sender, state from intake.submission") == [(other, "accepted")]
    said = [f.text for f in examine(world.pipeline) if f.check == "stores"]
    assert said == [f"the folder {PERIOD}/{closed} of the inbox cannot be read: nothing of it is taken"]
    # of a sender's own inbox too, and its trial says so
    source = declared(other, name="hop_thu", kind="inbox", url="sftp://127.0.0.1/gui", options=sftp.options)
    sftp.put(f"gui/{PERIOD}/b.csv", villages("A", "B"))
    sftp.put("gui/2026-Q1/c.csv", villages("A"))
    sftp.closed.add(f"gui/{PERIOD}")
    tried = try_source(source, None)
    assert tried.rows == 1 and f"the folder {PERIOD} cannot be read" in tried.remarks[0]
    assert pulled(world, source).rows == 1
    # where the root cannot be read, it is the store
    sftp.closed |= {"gui", "inbox"}
    assert pulled(world, source).fault == "LOGIN_REFUSED"
    with pytest.raises(StoreFailed, match="the inbox cannot be reached"):
        world.pipeline.run()
    sftp.closed.clear()
    assert world.run().unreadable == [] and pulled(world, source).rows == 1


def _fetched(store: Any, caplog: pytest.LogCaptureFixture, path: str) -> int:
    """How often a file was fetched since it was asked last."""
    if isinstance(store, Sftp):
        count = sum(p.endswith(path) for p in store.opened)
        store.opened.clear()
        return count
    count = sum("GET /kho/" in r.getMessage() and f"{path} HTTP" in r.getMessage() for r in caplog.records)
    caplog.clear()
    return count


def test_no_file_is_fetched_again_that_is_as_it_was(
    elsewhere: tuple[str, Any], make_world: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is missed: another time, size, statement or content, in the same second too."""
    caplog.set_level("INFO", logger="werkzeug")
    url, store = elsewhere
    world = make_world(inbox=f"{url}/inbox", archive=f"{url}/archive")
    place = f"inbox/{PERIOD}/{world.communes[0]}/a.csv"
    put = partial(store.put, f"{tmp_path.name}/{place}")
    put(villages("A", "B"))

    def dated(seconds: int) -> None:
        """The file was put there so long ago; S3 has its own clock."""
        if isinstance(store, Sftp):
            when = stamp - seconds
            os.utime(store.root / tmp_path.name / place, (when, when))

    stamp = int(time.time())
    dated(3600)
    assert len(world.run().received) == 1 and _fetched(store, caplog, place) > 0
    with world.pipeline.connection() as connection:
        for _ in range(2):
            assert world.run().received == [] and waiting(connection, f"{url}/inbox", 0).unknown == ()
            assert _fetched(store, caplog, place) == 0
        # the same size, another content
        put(villages("A", "C"))
        dated(3599)
        assert len(waiting(connection, f"{url}/inbox", 0).unknown) == 1 and _fetched(store, caplog, place) > 0
        assert len(world.run().received) == 1
        # a statement beside it
        store.put(f"{tmp_path.name}/{place}.yaml", b"dataset: villages")
        assert len(world.run().received) == 1
        # bytes that the archive has lost are taken again
        archive = world.pipeline.archive
        lost = archive.path(hashlib.sha256(villages("A", "C")).hexdigest())
        archive.fs.rm_file(lost)
        _fetched(store, caplog, place)
        assert world.run().received == [] and _fetched(store, caplog, place) > 0 and archive.fs.exists(lost)


def test_a_file_that_is_written_to_again_in_the_same_second_is_seen(
    elsewhere: tuple[str, Any], make_world: Make, tmp_path: Path
) -> None:
    """Time and size are as they were: what the store says of the bytes differs, or the file was fetched too soon to be believed."""
    url, store = elsewhere
    world = make_world(inbox=f"{url}/inbox")
    place = f"{tmp_path.name}/inbox/{PERIOD}/{world.communes[0]}/a.csv"
    store.put(place, villages("A", "B"))
    arrived = look(f"{url}/inbox", settle_seconds=0).arrived[0]
    world.run()
    store.put(place, villages("A", "C"))
    if isinstance(store, Sftp):
        os.utime(store.root / place, (arrived.received_at.timestamp(),) * 2)
    else:  # moto tells the time to the second; where another one began, the ledger is told so
        now = look(f"{url}/inbox", settle_seconds=0).arrived[0].received_at
        world.execute("update intake.delivery set received_at = %s", [now])
    with world.pipeline.connection() as connection:
        assert len(waiting(connection, f"{url}/inbox", 0).unknown) == 1
    assert len(world.run().received) == 1


def test_the_inbox_of_all_goes_away_and_comes_back(
    sftp: Sftp, make_world: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operator is told, and that a process that lives long finds the store again."""
    (tmp_path / "stores.yaml").write_text(json.dumps({"sftp://": sftp.options}))
    monkeypatch.setenv("LIENTHONG_STORES", str(tmp_path / "stores.yaml"))
    world = make_world(inbox="sftp://127.0.0.1/inbox", archive="sftp://127.0.0.1/archive")
    sftp.put(f"inbox/{PERIOD}/{world.communes[0]}/a.csv", villages("A", "B"))
    world.run()
    before = world.rows("select count(*) from mart_v1.villages")
    sftp.put(f"inbox/{PERIOD}/{world.communes[1]}/b.csv", villages("C"))
    port = sftp.port
    sftp.stop()
    stores._looked.clear()
    with pytest.raises(StoreFailed, match="the (inbox|archive) cannot be reached") as failed:
        world.pipeline.run()
    assert explain(failed.value) == [str(failed.value)] and "127.0.0.1" not in str(failed.value)
    assert world.rows("select count(*) from mart_v1.villages") == before
    sftp.start(port)
    world.run()
    assert world.rows("select count(*) from mart_v1.villages") == [(3,)]
