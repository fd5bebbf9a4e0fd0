"""Readers during publishes: each sees the whole of one publish, and none waits for the publisher.

Every publish sets every row of two datasets to its own number; so a reader that sees two numbers has seen a torn state.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from assets.marts.publish import back_to, prepare, publish, publishing
from schemas.contract import Column, Contract
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
    migrate(database_url)
    with _connected(database_url) as connection:
        for contract in CONTRACTS:
            sync(connection, contract)
        _publish(connection, 1)
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
