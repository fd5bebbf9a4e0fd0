"""A view as it was at an earlier publish.

Views filter by the pointer, which one cannot move for one reader. So a view is made again for this connection alone, with all
views beneath it, from their own definitions: where these read the pointer they read the number that was asked for, and where
they ask for the time they get that of then. Core rows of all publishes are kept, so the answer is that of then; names of units
and senders are as the reference lists have them now. Not here: reading the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from schemas.migrate import quote

from .views import ExportRefused, View

_HERE = Path(__file__).parent
_TOKEN = re.compile(
    r"""'(?:[^']|'')*'|(?<![\w.$])(?:core\.pointer|core\.shown\(\)|now\(\)|CURRENT_TIMESTAMP|CURRENT_DATE)(?![\w$])"""
    r"""|(?<![\w."$])(mart_v1|vault)\.("(?:[^"]|"")+"|\w+)|"(?:[^"]|"")*\""""
)
"""What is replaced in a definition; texts and quoted names match too, so that nothing is replaced within them."""


@dataclass(frozen=True)
class Moment:
    """What an export shows. ``number``: the publish that was current; ``shows``: the one that it shows, another where a publish
    was taken back; ``published_at``: when it became current; ``read_at``: the time by which views say what is valid today, None
    for now."""

    number: int
    shows: int
    published_at: datetime
    read_at: datetime | None = None


def choose(connection: psycopg.Connection, number: int | None = None, at: datetime | None = None) -> Moment:
    """The publish of a number, that which was current at a time, or the present one; in the caller's snapshot.

    Raises :class:`ExportRefused` where there is none."""
    wanted = "publish = %(number)s" if number is not None else "(%(at)s::timestamptz is null or published_at <= %(at)s)"
    row = connection.execute(
        f"select publish, shows, published_at from mart_v1.publishes where {wanted} order by publish desc limit 1",
        {"number": number, "at": at},
    ).fetchone()
    if row is None and at is not None:
        raise ExportRefused(f"nothing was published before {at:%Y-%m-%d %H:%M:%S%z}")
    if row is None:
        newest = connection.execute("select max(publish) from mart_v1.publishes").fetchone()
        raise ExportRefused(f"there is no publish {number}; the newest is {newest[0] if newest else 0}")
    return Moment(row[0], row[1], row[2], at or (row[2] if number is not None else None))


@contextmanager
def shown_at(connection: psycopg.Connection, view: View, moment: Moment) -> Iterator[str]:
    """The relation to read a view from, for a statement; within the caller's transaction, where nothing of it stays."""
    if moment.read_at is None:
        yield view.quoted
        return
    connection.execute("savepoint shown_at")
    try:
        _make(connection, view, moment)
    except psycopg.errors.InsufficientPrivilege:
        connection.execute("rollback to savepoint shown_at")
        raise ExportRefused(
            f"{view.full_name} at an earlier publish can be read by the user of the pipeline only; this database user may read "
            "the present one"
        ) from None
    yield f"pg_temp.{quote(view.name)}"
    connection.execute("rollback to savepoint shown_at")


def _make(connection: psycopg.Connection, view: View, moment: Moment) -> None:
    connection.execute("set local search_path = ''")
    beneath = connection.execute((_HERE / "beneath.sql").read_text(encoding="utf-8"), {"view": view.oid}).fetchall()
    made = {f"{schema}.{name}": name for schema, name, _ in beneath}
    time = sql.Literal(moment.read_at).as_string(connection)
    new = {
        "core.pointer": "pg_temp.pointer",
        "core.shown()": f"{moment.shows}::bigint",
        "now()": time,
        "CURRENT_TIMESTAMP": time,
        "CURRENT_DATE": f"({time}::date)",
    }

    def replace(found: re.Match[str]) -> str:
        if found[1] is not None:
            name = made.get(f"{found[1]}.{found[2].strip(chr(34))}")
            return f"pg_temp.{quote(name)}" if name is not None else found[0]
        return new.get(found[0], found[0])

    connection.execute(f"create temporary view pointer as select true as one, {moment.shows}::bigint as shows")
    for _, name, definition in beneath:
        text = _TOKEN.sub(replace, definition.strip().rstrip(";"))
        connection.execute(f"create temporary view {quote(name)} as {text}")
    for _, name, _ in beneath:  # with the rights of whoever reads, who must have them on what lies beneath
        connection.execute(f"select from pg_temp.{quote(name)} limit 0")
