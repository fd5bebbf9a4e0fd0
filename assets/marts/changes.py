"""The change feed's writing side: at each publish, which rows readers see otherwise than before.

Rows of the feed are written under the open publish number, before the pointer moves, and are seen with it. They cost what changed:
the rows that the publish touched are found by the indexes on ``publish_from`` and ``publish_to``. Not here: what is followed
(:mod:`schemas.feed`), reading (:mod:`.feed`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

import psycopg

from schemas.feed import INDICATORS, function

_HERE = Path(__file__).parent
CHANNEL = "lienthong_publish"
"""NOTIFY channel; the payload is the publish number."""

_MANY = 10_000
"""Changes of one publish from which on the feed's statistics are renewed: a reader may come before the server does it by itself."""


def _text(file: str) -> str:
    return (_HERE / f"{file}.sql").read_text(encoding="utf-8")


def record(connection: psycopg.Connection, number: int, after: int, changed: Collection[str] | None = None) -> int:
    """Write down, in the caller's transaction, what publish ``number`` changes for readers, who will see ``after``; how many
    rows. ``changed``: the datasets that this publish changed, where that is known."""
    row = connection.execute(
        "select p.shows, exists (select from core.publish l "
        "where l.state = 'published' and l.kind = 'publish' and l.number > p.shows) from core.pointer p"
    ).fetchone()
    assert row is not None
    before, behind = row
    recorded = 0
    for dataset, joined in connection.execute("select dataset, joined from core.followed order by dataset").fetchall():
        # where an older publish was shown, what came after it changes for readers as well
        if changed is None or behind or joined or dataset in changed or dataset == INDICATORS:
            recorded += _record(connection, dataset, number, before, after, recorded)
    connection.execute("update core.publish set changes = %s where number = %s", [recorded, number])
    if recorded >= _MANY:
        connection.execute("analyze (skip_locked) core.change")
    return recorded


def _record(connection: psycopg.Connection, dataset: str, number: int, before: int, after: int, recorded: int) -> int:
    at = function(dataset, "at")
    names = {
        "at": at, "touched": function(dataset, "touched"), "before": before, "after": after,
        "low": min(before, after), "high": max(before, after),
    }  # fmt: skip
    seen = connection.execute(f"select exists (select from {at}({before}))").fetchone()
    file = "changes_record" if seen and seen[0] else "changes_record_first"
    parameters = {"publish": number, "recorded": recorded, "dataset": dataset}
    return connection.execute(_text(file).format(**names), parameters).rowcount


def announce(connection: psycopg.Connection, number: int) -> None:
    """Chain a publish to those before it and tell who listens, in the transaction that shows it. The feed ends with it: what a
    publisher that died has left under a smaller number goes."""
    connection.execute(
        "delete from core.change where publish in (select number from core.publish where state = 'open' and number < %s)",
        [number],
    )
    connection.execute(_text("changes_published"), {"publish": number})
    connection.execute("select pg_notify(%s, %s)", [CHANNEL, str(number)])


def tell_erased(connection: psycopg.Connection, entities: Mapping[str, Collection[int]]) -> int:
    """Tell readers, by a publish of its own in the caller's transaction, to erase entities of datasets; its number. What the feed
    has said of them is emptied: it says 'erase' in its place. The caller holds the publisher's lock."""
    row = connection.execute(
        "insert into core.publish (number, kind, state, shows, published_at) "
        "select (select max(number) + 1 from core.publish), 'erasure', 'published', shows, clock_timestamp() from core.pointer "
        "returning number"
    ).fetchone()
    assert row is not None
    number = int(row[0])
    known = {r[0] for r in connection.execute("select dataset from core.followed")}
    pairs = [(d, e) for d in sorted(entities.keys() & known) for e in sorted(entities[d])]
    given = {"datasets": [d for d, _ in pairs], "entities": [e for _, e in pairs]}
    connection.execute(_text("changes_erased"), given)
    written = connection.execute(
        "insert into core.change (publish, sequence, dataset, entity_id, operation) "
        "select %(publish)s, e.n, e.dataset, e.entity_id, 'erase' "
        "from unnest(%(datasets)s::text[], %(entities)s::bigint[]) with ordinality e (dataset, entity_id, n)",
        {**given, "publish": number},
    ).rowcount
    connection.execute("update core.publish set changes = %s where number = %s", [written, number])
    announce(connection, number)
    return number


def forgettable(connection: psycopg.Connection, before: datetime) -> tuple[int, int]:
    """(publish, changes) that :func:`forget` would forget up to, and how many."""
    row = connection.execute(
        "select p.number, (select count(*) from core.change c where c.publish <= p.number) from ("
        "select greatest((select since from core.feed), coalesce(max(number), 0)) as number from core.publish "
        "where state = 'published' and published_at < %s) p",
        [before],
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def forget(connection: psycopg.Connection, before: datetime) -> tuple[int, int]:
    """Take changes of publishes from before a moment out of the feed: whoever has not read them begins with a snapshot.
    (publish, changes): up to which, how many."""
    with connection.transaction():
        since, changes = forgettable(connection, before)
        connection.execute("delete from core.change where publish <= %s", [since])
        connection.execute("update core.feed set since = %s where since < %s", [since, since])
    return since, changes
