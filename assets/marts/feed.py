"""Following the warehouse from an app: a snapshot with its position, then the change feed, exactly, however long one was away.

This module needs psycopg and nothing of Liên Thông: an app may copy it as it is (docs/feed.md explains it, and how to do the same
in SQL alone). Not here: how the feed is written (:mod:`.changes`).

What an app holds is a function of its position: the same changes applied again change nothing, so it is enough that position and
rows are written in one transaction of the app's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Literal

import psycopg
from psycopg.types.json import set_json_loads

CHANNEL = "lienthong_publish"
"""NOTIFY channel; the payload is the publish number."""
_WHOLE = 2**63 - 1


class CannotFollow(Exception):
    """The feed cannot be followed from a position; the text says why, and that a snapshot is the way on."""


class BadPosition(ValueError):
    """A text that is no position."""


@dataclass(frozen=True)
class Position:
    """How far a reader has read. ``feed``: which feed (another after a restore); ``sequence``: how many changes of ``publish`` it
    has, None for all. As text ``<feed>:<publish>`` or ``<feed>:<publish>:<sequence>``."""

    feed: str
    publish: int
    sequence: int | None = None

    def __str__(self) -> str:
        return ":".join(str(p) for p in (self.feed, self.publish, self.sequence) if p is not None)

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position of a text; raises :class:`BadPosition`."""
        feed, *numbers = text.split(":")
        if not feed or len(numbers) not in (1, 2) or not all(n.isascii() and n.isdecimal() for n in numbers):
            raise BadPosition(f"{text[:80]!r} is no position; one looks like <feed>:17 or <feed>:17:250")
        return cls(feed, *map(int, numbers))


@dataclass(frozen=True)
class Row:
    """A row of a dataset's history: ``entity_id`` and ``valid_from`` say which; ``valid_to`` is the first day after, or
    None. ``key``: its key columns that are not personal; ``data``: the columns of ``mart_v1.<dataset>_history``, days as ISO texts,
    fractions as :class:`~decimal.Decimal`."""

    dataset: str
    entity_id: int
    valid_from: date
    valid_to: date | None
    key: dict[str, Any]
    data: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A row of the feed. ``operation``: insert, update or delete of the row (entity_id, valid_from) of the dataset; erase: all
    rows of the entity, and whatever an app made of them. ``data``: what the row says as of that publish; None where it is gone."""

    publish: int
    sequence: int
    dataset: str
    entity_id: int
    operation: Literal["insert", "update", "delete", "erase"]
    valid_from: date | None
    valid_to: date | None
    key: dict[str, Any] | None
    data: dict[str, Any] | None


@dataclass(frozen=True)
class Page:
    """Some changes in the order of the feed. ``position``: where one stands with these applied; ``more``: whether there may be more
    now."""

    changes: list[Change]
    position: Position
    more: bool


def position(connection: psycopg.Connection[Any]) -> Position:
    """Where the feed ends now."""
    feed, publish, _ = _ends(connection.cursor())
    return Position(feed, publish)


def after(connection: psycopg.Connection[Any], publish: int) -> Position:
    """The position of somebody who has the whole of a publish of this feed."""
    return Position(position(connection).feed, publish)


@contextmanager
def snapshot(
    connection: psycopg.Connection[Any],
    datasets: Collection[str] | None = None,
    *,
    at: int | None = None,
    own: bool = False,
) -> Iterator[tuple[Position, Iterator[Row]]]:
    """All rows of some datasets (default: all that the feed has) as of the newest publish or an older one, and the position from
    which to follow; rows come as they are read and are not held. ``own``: only rows of the login's own units, and datasets granted
    to it by name. The connection must be in no transaction. Raises :class:`CannotFollow` where there is no such publish or
    dataset."""
    with _moment(connection) as cursor:
        feed, newest, _ = _ends(cursor)
        publish = newest if at is None else at
        if cursor.execute("select from mart_v1.publishes where publish = %s", [publish]).fetchone() is None:
            raise CannotFollow(f"there is no publish {publish}; the newest is {newest}")
        known = _datasets(cursor, own)
        wanted = known if datasets is None else [*datasets]
        if unknown := [d for d in wanted if d not in known]:
            raise CannotFollow(f"the feed has no {unknown[0]}; it has {', '.join(known)}")
        yield Position(feed, publish), _rows(connection, wanted, publish, own)


def changes(
    connection: psycopg.Connection[Any],
    since: Position,
    *,
    limit: int = 1000,
    datasets: Collection[str] | None = None,
    own: bool = False,
) -> Page:
    """The next changes after a position. ``own``: as in :func:`snapshot`. The connection must be in no transaction. Raises
    :class:`CannotFollow` where the feed no longer goes back so far, is another, or has nothing for the login any more."""
    with _moment(connection) as cursor:
        feed, newest, oldest = _ends(cursor)
        _check(since, feed, newest, oldest)
        if own:
            _datasets(cursor, own)
        sequence = _WHOLE if since.sequence is None else since.sequence
        found = cursor.execute(
            "select publish, sequence, dataset, entity_id, operation, valid_from, valid_to, key, data, changes, previous "
            f"from mart_v1.{'own_' if own else ''}change_feed where (publish, sequence) > (%s, %s) "
            + ("" if datasets is None else "and dataset = any (%s) ")
            + "order by publish, sequence limit %s",
            [since.publish, sequence, *([] if datasets is None else [[*datasets]]), limit],
            prepare=True,
        ).fetchall()
    if datasets is None and not own:
        _prove(since, found)
    listed = [Change(*r[:9]) for r in found]
    if len(found) < limit:
        return Page(listed, Position(feed, newest), False)
    last = listed[-1]
    whole = last.sequence == found[-1][9]
    return Page(listed, Position(feed, last.publish, None if whole else last.sequence), True)


def follow(
    connection: psycopg.Connection[Any],
    since: Position,
    *,
    limit: int = 1000,
    datasets: Collection[str] | None = None,
    own: bool = False,
    look_every: float = 60.0,
) -> Iterator[Page]:
    """Pages without end: what came since the position, then what comes, as soon as it is published. A page may have no changes:
    then the position alone has moved. ``connection`` must be in autocommit and one's own. Every so many seconds it is looked
    all the same, should a notification be lost on the way."""
    connection.execute(f"listen {CHANNEL}")  # before the first look: nothing can fall in between
    while True:
        page = changes(connection, since, limit=limit, datasets=datasets, own=own)
        if page.position != since:
            since = page.position
            yield page
        if not page.more:
            for _ in connection.notifies(timeout=look_every, stop_after=1):
                pass


@dataclass
class Copy:
    """Rows in memory, by dataset and entity: the least that an app can keep. ``position``: what they are as of; in the middle of a
    publish's changes they are neither the publish before nor this one."""

    position: Position
    entities: dict[tuple[str, int], dict[date, Row]] = field(default_factory=dict)

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows of a snapshot."""
        for row in rows:
            self.entities.setdefault((row.dataset, row.entity_id), {})[row.valid_from] = row

    def apply(self, page: Page) -> None:
        """Take in a page; the same page again changes nothing."""
        for change in page.changes:
            of = (change.dataset, change.entity_id)
            if change.operation == "erase":
                self.entities.pop(of, None)
            elif change.valid_from is not None and change.data is not None and change.key is not None:
                row = Row(*of, change.valid_from, change.valid_to, change.key, change.data)
                self.entities.setdefault(of, {})[row.valid_from] = row
            elif change.valid_from is not None:
                rows = self.entities.get(of, {})
                rows.pop(change.valid_from, None)
                if not rows:
                    self.entities.pop(of, None)
        self.position = page.position

    def rows(self, dataset: str) -> list[Row]:
        """The rows of a dataset, by entity and validity."""
        found = [row for (name, _), rows in self.entities.items() if name == dataset for row in rows.values()]
        return sorted(found, key=lambda r: (r.entity_id, r.valid_from))


@contextmanager
def _moment(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[Any]]:
    """One transaction that sees one moment. It takes no lock that a publish waits for, nor waits for one."""
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        raise RuntimeError("the connection is in a transaction: a snapshot of its own is needed")
    with connection.transaction(), connection.cursor() as cursor:
        # the view looks into every dataset: to plan that takes a quarter of the time of a page, and once for all pages is enough
        cursor.execute(
            "set transaction isolation level repeatable read, read only; set local plan_cache_mode = force_generic_plan"
        )
        _exact(cursor)
        yield cursor


def _exact(cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any]) -> None:
    set_json_loads(partial(json.loads, parse_float=Decimal), cursor)


def _ends(cursor: psycopg.Cursor[Any]) -> tuple[str, int, int]:
    row = cursor.execute("select feed::text, publish, since from mart_v1.feed_position").fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _datasets(cursor: psycopg.Cursor[Any], own: bool) -> list[str]:
    view = "own_feed_datasets" if own else "feed_datasets"
    known = [r[0] for r in cursor.execute(f"select dataset from mart_v1.{view} order by dataset")]
    if not known:
        raise CannotFollow("this login was granted no rows of its own and no dataset, or not any more")
    return known


def _rows(connection: psycopg.Connection[Any], datasets: Iterable[str], publish: int, own: bool) -> Iterator[Row]:
    function = "own_feed_snapshot" if own else "feed_snapshot"
    for dataset in datasets:
        with connection.cursor(f"snapshot_{dataset}") as cursor:
            _exact(cursor)
            cursor.itersize = 2000
            cursor.execute(f"select * from mart_v1.{function}(%s, %s)", [dataset, publish])
            for row in cursor:
                yield Row(dataset, *row)


def _check(since: Position, feed: str, newest: int, oldest: int) -> None:
    if since.feed != feed:
        why = "the warehouse was restored since, and goes on as another feed"
    elif since.publish > newest:
        why = f"the newest publish is {newest}"
    elif since.publish < oldest or (since.publish == oldest and since.sequence is not None):
        why = f"the feed goes back to publish {oldest} only"
    else:
        return
    raise CannotFollow(f"nothing can be read after publish {since.publish}: {why}; take a snapshot and follow from it")


def _prove(since: Position, found: list[tuple[Any, ...]]) -> None:
    """Nothing is missing: each publish is there from 1 to the end, and comes after the one that it says it follows."""
    publish, sequence, whole = since.publish, since.sequence or 0, since.sequence is None
    for row in found:
        if row[0] == publish:
            right = not whole and row[1] == sequence + 1
        else:
            right = whole and row[1] == 1 and (row[10] is None or row[10] <= publish)
        if not right:
            raise CannotFollow(
                f"a change is missing before {row[0]}:{row[1]}: a fault of the feed; take a snapshot and follow from it"
            )
        publish, sequence, whole = row[0], row[1], row[1] == row[9]
