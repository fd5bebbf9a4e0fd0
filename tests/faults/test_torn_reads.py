"""Readers during publishes: each sees the whole of one publish, and none waits for the publisher.

Every publish sets every row of two datasets to its own number; so a reader that sees two numbers has seen a torn state. The change
feed is read beside the views: its end, and what it says of the newest publish, must be what the views show.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from assets.marts.changes import record
from assets.marts.feed import Copy, changes, follow, position, snapshot
from assets.marts.publish import Prepared, back_to, prepare, publish, publishing
from schemas.contract import Column, Contract
from schemas.feed import sync_feed
from schemas.migrate import migrate
from schemas.tables import sync

NAMES = ("left", "right")
ROWS = 25
PUBLISHES = 60
_PAUSE = 0.012
"""Seconds between two looks of a reader: the publisher shall get on."""
ONE = (
    "select min(n), max(n), count(*) filter (where side = 'left'), count(*) filter (where side = 'right') from "
    "(select 'left' as side, n from mart_v1.left union all select 'right', n from mart_v1.right_history) x"
)


def _contract(name: str) -> Contract:
    columns = (
        Column("k", "Khóa", "string", "name", required=True, key_position=1),
        Column("n", "Số", "integer", "integer", required=True),
    )
    return Contract(name, "1.0.0", "", "", columns, (), "snapshot", "asOf", "all", "quarter")


CONTRACTS = [_contract(name) for name in NAMES]


def _say(connection: psycopg.Connection, n: int) -> None:
    """Both datasets are sent again, every row with the number ``n``, as staging leaves it."""
    at = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(minutes=n)
    for name in NAMES:
        with connection.transaction():
            connection.execute(
                "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, state) "
                "values (%(id)s, %(id)s, 0, 'x', '2026-Q1', '', '', %(at)s, 'read')",
                {"id": f"{name}{n}", "at": at},
            )
            connection.execute(
                "with s as (insert into intake.submission (submission_id, delivery_id, dataset, sender, period, period_first, "
                "period_last, as_of, as_of_source, received_at, sha256, content, file_name, state, rows_read, rows_accepted) "
                "values (%(id)s, %(id)s, %(name)s, 'x', '2026-Q1', %(first)s, %(last)s, %(last)s, 'period', %(at)s, %(id)s, "
                "%(id)s, '', 'staged', %(rows)s, %(rows)s) returning submission_no), "
                "a as (insert into intake.assessment (submission_no, contract_version, rule_set, reference_version, layout, "
                "rows_accepted) select submission_no, '1', '1', '1', '[]', %(rows)s from s returning assessment_no) "
                f"insert into staging.{name} (_assessment, _sheet, _row, _key, _value, _ok, k, n) "
                "select assessment_no, 0, i, i, %(n)s, true, 'k' || i, %(n)s from a, generate_series(1, %(rows)s) i",
                {
                    "id": f"{name}{n}", "name": name, "at": at, "first": date(2026, 1, 1), "last": date(2026, 3, 31),
                    "rows": ROWS, "n": n,
                },
            )  # fmt: skip
            connection.execute(
                "update intake.submission u set assessment_no = a.assessment_no from intake.assessment a "
                "where a.submission_no = u.submission_no and u.assessment_no is null"
            )


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


@dataclass
class Readers:
    """Threads that read all the while; what they saw, and what was wrong with it."""

    url: str
    seen: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    looks: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def _one(self, connection: psycopg.Connection, name: str | None = None) -> int | None:
        query = ONE if name is None else f"select min(n), max(n), {ROWS}, count(*) from mart_v1.{name}"
        low, high, left, right = connection.execute(query).fetchone() or (None,) * 4
        self.looks += 1
        if low != high or left != ROWS or right != ROWS:
            self.wrong.append(f"{low} to {high} in {left} and {right} rows")
        self.seen.add(low)
        return int(low)

    def single(self) -> None:
        with self._open() as connection:
            while not self.stop.wait(_PAUSE):
                self._one(connection)

    def repeated(self) -> None:
        with self._open() as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            while not self.stop.wait(_PAUSE):
                with connection.transaction():
                    first = self._one(connection, "left")
                    second = self._one(connection, "right")
                    third = self._one(connection)
                if not first == second == third:
                    self.wrong.append(f"{first}, then {second}, then {third} in one transaction")

    @contextmanager
    def _open(self) -> Iterator[psycopg.Connection]:
        try:
            with _connected(self.url) as connection:
                # a lock that a reader had to wait for would end it
                connection.execute("set lock_timeout = '10ms'")
                yield connection
        except Exception as error:
            self.wrong.append(repr(error))

    @contextmanager
    def reading(self) -> Iterator[None]:
        threads = [threading.Thread(target=work) for work in (self.single, self.repeated) * 2]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


@pytest.fixture
def readers(database_url: str) -> Readers:
    prepared_for_readers(database_url)
    return Readers(database_url)


def _publish(connection: psycopg.Connection, n: int) -> int:
    _say(connection, n)
    with publishing(connection):
        number = publish(connection, prepare(connection, CONTRACTS))
    assert number is not None
    return number


def _abandon(url: str, n: int) -> None:
    """A publisher dies with its work done and not shown."""
    with _connected(url) as connection:
        _say(connection, n)
        with publishing(connection):
            prepare(connection, CONTRACTS)


def test_a_reader_sees_one_publish_and_never_waits(readers: Readers) -> None:
    shown = {1}
    with readers.reading(), _connected(readers.url) as connection:
        last, n = 1, 1
        for turn in range(PUBLISHES):
            n += 1
            if turn % 10 == 4:
                _abandon(readers.url, n)
                n += 1
            number = _publish(connection, n)
            shown.add(n)
            if turn % 10 == 9:
                back_to(connection, last)
            last = number
    assert readers.wrong == []
    assert readers.seen <= shown, "a number that was never published has been seen"
    assert len(readers.seen) > PUBLISHES // 3 and readers.looks > PUBLISHES
    with _connected(readers.url) as connection:
        assert len(connection.execute("select from core.publish where state = 'swept'").fetchall()) == PUBLISHES // 10


def test_a_publish_taken_back_is_taken_back_whole(readers: Readers) -> None:
    with _connected(readers.url) as connection:
        numbers = {n: _publish(connection, n) for n in range(2, 6)}
        for n in (3, 5, 2, 4):
            back_to(connection, numbers[n])
            assert connection.execute(ONE).fetchone() == (n, n, ROWS, ROWS)
        _abandon(readers.url, 6)
        assert connection.execute(ONE).fetchone() == (4, 4, ROWS, ROWS)
        with publishing(connection):  # what was abandoned is done again, and shown now
            publish(connection, prepare(connection, CONTRACTS))
        assert connection.execute(ONE).fetchone() == (6, 6, ROWS, ROWS)


def test_a_reader_is_not_stopped_by_a_publish_in_the_middle(readers: Readers) -> None:
    """The publisher's transaction is open, everything in it done but the commit."""
    with _connected(readers.url) as connection, _connected(readers.url) as reader:
        reader.execute("set statement_timeout = '5s'")
        _say(connection, 2)
        with publishing(connection):
            prepared = prepare(connection, CONTRACTS)
            with connection.transaction():
                publish(connection, prepared)
                assert reader.execute(ONE).fetchone() == (1, 1, ROWS, ROWS)
        assert reader.execute(ONE).fetchone() == (2, 2, ROWS, ROWS)


# --- eight readers of the views and of the feed ---------------------------------------------------------------------------------

SOME = 200
"""Publishes in ``make test``; ``tests.benchmarks.feed`` does it with a thousand."""
_LOOK = (
    "select f.publish, p.shows, p.changes, (select count(*) from mart_v1.change_feed c where c.publish = f.publish), "
    "(select count(*) from mart_v1.change_feed c where c.publish = f.publish and (c.data ->> 'n')::bigint <> p.shows), "
    "(select array[min(n), max(n), count(*), sum(n)] from (select n from mart_v1.left union all select n from mart_v1.right) x) "
    "from mart_v1.feed_position f join mart_v1.publishes p using (publish)"
)
_ALL = "select k, n from mart_v1.left_history union all select k, n from mart_v1.right_history"


def _direct(connection: psycopg.Connection, rows: int, switches: list[float]) -> int:
    """A publish whose merge is two statements a dataset: every row says the publish's own number. The switch is the real one."""
    with publishing(connection):
        # whoever made the publisher wait would end it
        connection.execute("set lock_timeout = '10ms'")
        with connection.transaction():
            row = connection.execute(
                "insert into core.publish (number, kind, state, shows) "
                "select max(number) + 1, 'publish', 'open', max(number) + 1 from core.publish returning number"
            ).fetchone()
            assert row is not None
            for name in NAMES:
                connection.execute(f"update core.{name} set publish_to = %s where publish_to is null", [row[0]])  # type: ignore[arg-type]
                connection.execute(
                    f"insert into core.{name} (entity_id, valid_from, publish_from, value_hash, k, n) "  # type: ignore[arg-type]
                    "select i, '2026-03-31', %(n)s, %(n)s, 'k' || i, %(n)s from generate_series(1, %(rows)s) i",
                    {"n": row[0], "rows": rows},
                )
            record(connection, row[0], row[0], NAMES)
        number = _timed(switches, lambda: publish(connection, Prepared(row[0])))
        assert number == row[0]
    return int(row[0])


def _timed(seconds: list[float], work: Callable[[], Any]) -> Any:
    """What the work gives; how long it took is for the benchmark."""
    start = time.perf_counter()
    done = work()
    seconds.append(time.perf_counter() - start)
    return done


@dataclass
class Eight(Readers):
    """Readers of all kinds: whole looks in one statement and in one transaction, and followers of the feed."""

    rows: int = 0
    switches: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)

    def look(self) -> None:
        with self._open() as connection:
            while not self.stop.wait(2 * _PAUSE):
                one = _timed(self.took, lambda: connection.execute(_LOOK).fetchone())
                publish, shows, told, found, others, (low, high, count, total) = one
                self.looks += 1
                self.seen.add(publish)
                if not (low == high == shows and count == 2 * self.rows and total == shows * count):
                    self.wrong.append(f"{publish} shows {shows}: {low} to {high} in {count} rows")
                if told != found or others:
                    self.wrong.append(f"{publish}: {found} changes of {told}, {others} of another publish")

    def transaction(self) -> None:
        with self._open() as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            while not self.stop.wait(2 * _PAUSE):
                with connection.transaction():
                    first = position(connection).publish
                    rows = connection.execute(_ALL).fetchall()  # type: ignore[arg-type]
                    last = connection.execute(
                        "select publish, shows from mart_v1.publishes order by 1 desc limit 1"
                    ).fetchone()
                self.looks += 1
                if last is None or last[0] != first or {n for _, n in rows} != {last[1]} or len(rows) != 2 * self.rows:
                    self.wrong.append(f"{first}, then {last} in one transaction")

    def paging(self) -> None:
        with self._open() as connection:
            copy = self._begin(connection)
            while not self.stop.wait(_PAUSE):
                copy.apply(changes(connection, copy.position, limit=7))  # stops in the middle of publishes
                self.looks += 1

    def listening(self) -> None:
        with self._open() as connection:
            copy = self._begin(connection)
            for page in follow(connection, copy.position, look_every=0.5):
                copy.apply(page)
                self.looks += 1
                torn = copy.position.sequence is None and len({r.data["n"] for n in NAMES for r in copy.rows(n)}) != 1
                if torn:
                    self.wrong.append(f"a follower holds two publishes at {copy.position.publish}")
                if self.stop.is_set():
                    return

    def _begin(self, connection: psycopg.Connection) -> Copy:
        with snapshot(connection) as (begun, rows):
            copy = Copy(begun)
            copy.add(rows)
        self.copies.append(copy)
        return copy

    kinds = ("look", "transaction", "paging", "listening")


def prepared_for_readers(url: str) -> None:
    """A migrated database with the two datasets, and one publish of them."""
    migrate(url)
    with _connected(url) as connection:
        for contract in CONTRACTS:
            sync(connection, contract)
        sync_feed(connection, {c.dataset: c for c in CONTRACTS})
        _publish(connection, 1)


def eight_readers(url: str, publishes: int, readers: int = 8) -> Eight:
    """Let eight readers read while so many publishes are made; raises where anything was torn, or anybody waited for a lock.
    ``readers``: 0 for the publisher alone."""
    eight = Eight(url, rows=4)
    with _connected(url) as connection:
        for name in NAMES:
            connection.execute(f"delete from core.{name}")  # type: ignore[arg-type]
        connection.execute("truncate core.change, core.change_owner")
        connection.execute("update core.feed set since = (select publish from mart_v1.feed_position)")
        earlier = [_direct(connection, eight.rows, eight.switches)]
        threads = [threading.Thread(target=getattr(eight, kind)) for kind in (eight.kinds * 2)[:readers]]
        for thread in threads:
            thread.start()
        try:
            for turn in range(publishes - 1):
                if turn % 20 == 19:
                    back_to(connection, earlier[turn * 7 % len(earlier)])
                else:
                    earlier.append(_direct(connection, eight.rows, eight.switches))
        finally:
            eight.stop.set()
            back_to(connection, earlier[-1])  # wakes whoever listens
            for thread in threads:
                thread.join()
        assert eight.wrong == []
        assert connection.execute("select count(*) from mart_v1.publishes").fetchone() == (publishes + 3,)
        assert not readers or (len(eight.seen) > 20 and eight.looks > publishes // 2)
        for copy in eight.copies:  # wherever each was when it stopped
            while (page := changes(connection, copy.position, limit=1000)).position != copy.position:
                copy.apply(page)
            held = sorted((r.data["k"], r.data["n"]) for n in NAMES for r in copy.rows(n))
            assert held == sorted(connection.execute(_ALL).fetchall())  # type: ignore[arg-type]
    return eight


def test_eight_readers_see_whole_publishes_and_a_whole_feed(readers: Readers) -> None:
    eight_readers(readers.url, SOME)


def test_the_switch_takes_no_lock_that_a_reader_could_wait_for(readers: Readers) -> None:
    """All that the publisher's transaction holds, just before its commit: nothing conflicts with SELECT."""
    with _connected(readers.url) as connection, _connected(readers.url) as other:
        _direct(connection, 4, [])
        _say(connection, 2)
        query = (
            "select distinct l.mode from pg_locks l where l.pid = %s and l.locktype in ('relation', 'object') "
            "and l.mode in ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock')"
        )
        with publishing(connection):
            prepared = prepare(connection, CONTRACTS)
            with connection.transaction():
                assert publish(connection, prepared) is not None
                held = other.execute(query, [connection.info.backend_pid]).fetchall()
                assert held == []
        with connection.transaction():
            back_to(connection, 1)
            assert other.execute(query, [connection.info.backend_pid]).fetchall() == []
