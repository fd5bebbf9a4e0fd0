"""The change feed's writing side: at each publish, which rows readers see otherwise than before.

Rows of the feed are written under the open publish number, before the pointer moves, and are seen with it. They cost what changed:
the rows that the publish touched are found by the indexes on ``publish_from`` and ``publish_to``. Not here: what is followed
(:mod:`schemas.feed`), reading (:mod:`.feed`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import psycopg

from schemas.feed import INDICATORS, function
from schemas.migrate import quote

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
    followed = connection.execute("select dataset, joined, own from core.followed order by dataset").fetchall()
    for dataset, joined, own in followed:
        # where an older publish was shown, what came after it changes for readers as well
        if changed is None or behind or joined or dataset in changed or dataset == INDICATORS:
            recorded += _record(connection, dataset, own, number, before, after, recorded)
    connection.execute("update core.publish set changes = %s where number = %s", [recorded, number])
    if recorded >= _MANY:
        connection.execute("analyze (skip_locked) core.change, core.change_owner")
    return recorded


def _record(
    connection: psycopg.Connection,
    dataset: str,
    own: Sequence[str],
    number: int,
    before: int,
    after: int,
    recorded: int,
) -> int:
    at = function(dataset, "at")
    had, has = (
        f"array_remove(array[{', '.join(f'{row}.{quote(c)}' for c in own)}]::text[], null)" for row in ("_old", "_new")
    )
    names = {
        "at": at, "touched": function(dataset, "touched"), "before": before, "after": after,
        "low": min(before, after), "high": max(before, after), "had": had, "has": has,
        # an organisation and a commune may have one code
        "twice": "on conflict do nothing" if len(own) > 1 else "",
    }  # fmt: skip
    seen = connection.execute(f"select exists (select from {at}({before}))").fetchone()
    file = "changes_record" if seen and seen[0] else "changes_record_first"
    parameters = {"publish": number, "recorded": recorded, "dataset": dataset}
    row = connection.execute(_text(file).format(**names), parameters).fetchone()
    return int(row[0]) if row is not None else 0


def remove(connection: psycopg.Connection, numbers: Sequence[int]) -> None:
    """Take what was written under publish numbers out of the feed, in the caller's transaction."""
    for table in ("change", "change_owner"):
        connection.execute(f"delete from core.{table} where publish = any (%s)", [numbers])


def announce(connection: psycopg.Connection, number: int) -> None:
    """Chain a publish to those before it and tell who listens, in the transaction that shows it. The feed ends with it: what a
    publisher that died has left under a smaller number goes."""
    dead = connection.execute("select number from core.publish where state = 'open' and number < %s", [number])
    remove(connection, [r[0] for r in dead])
    connection.execute(_text("changes_published"), {"publish": number})
    _notify(connection, number)


def _notify(connection: psycopg.Connection, number: int) -> None:
    """Tell who listens, at the commit; not where the server's queue is all but full. Any login may fill it (notify needs no right,
    and who listens within a transaction keeps it from emptying), and the commit would fail. Readers look once a minute besides."""
    query = "select pg_notify(%s, %s) where pg_notification_queue_usage() < 0.9"
    connection.execute(query, [CHANNEL, str(number)])


def tell_erased(connection: psycopg.Connection, entities: Mapping[str, Collection[int]]) -> int:
    """Tell readers, by a publish of its own in the caller's transaction, to erase entities of datasets; its number. What the feed
    has said of them is emptied: it says 'erase' in its place. Whose they were is asked of versions that are there still.
    The caller holds the publisher's lock."""
    row = connection.execute(
        "insert into core.publish (number, kind, state, shows, published_at) "
        "select (select max(number) + 1 from core.publish), 'erasure', 'published', shows, clock_timestamp() from core.pointer "
        "returning number"
    ).fetchone()
    assert row is not None
    number = int(row[0])
    known = {r[0] for r in connection.execute("select dataset from core.followed")}
    pairs = [(d, e) for d in sorted(entities.keys() & known) for e in sorted(entities[d])]
    given = {"publish": number, "datasets": [d for d, _ in pairs], "entities": [e for _, e in pairs]}
    connection.execute(_text("changes_erased"), given)
    written = connection.execute(
        "insert into core.change (publish, sequence, dataset, entity_id, operation) "
        "select %(publish)s, e.n, e.dataset, e.entity_id, 'erase' "
        "from unnest(%(datasets)s::text[], %(entities)s::bigint[]) with ordinality e (dataset, entity_id, n)",
        given,
    ).rowcount
    for dataset, own in connection.execute(
        "select dataset, own from core.followed where dataset = any (%(datasets)s)", given
    ).fetchall():
        columns = ", ".join(f"h.{quote(c)}" for c in own)
        text = _text("changes_erased_owners").format(table=quote(dataset), own=f"array[{columns}]::text[]")
        connection.execute(text, {**given, "dataset": dataset})
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
        connection.execute("delete from core.change_owner where publish <= %s", [since])
        connection.execute("update core.feed set since = %s where since < %s", [since, since])
    return since, changes
