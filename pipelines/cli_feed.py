"""``lienthong feed``: the change feed as lines, for people or programs.

Here: the form of the lines and where reading begins and ends. Reading itself: :mod:`assets.marts.feed`.

With ``--json`` each line is one JSON value as soon as it is known: a change, a row of a snapshot, or ``{"position": …}`` after what
has been printed whole: a program that stores a position has all before it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import psycopg

from assets.marts.feed import Change, Position, Row, after, changes, follow, snapshot

from .cli_output import Screen, plain

_PAGE = 1000


def start(connection: psycopg.Connection, since: str) -> Position:
    """Where somebody begins who says a publish number or a position; raises ``BadPosition``."""
    return after(connection, int(since)) if since.isascii() and since.isdecimal() else Position.parse(since)


def show_changes(
    screen: Screen,
    connection: psycopg.Connection,
    since: Position,
    datasets: Collection[str] | None,
    *,
    endless: bool,
    own: bool = False,
) -> Position:
    """Print what came after a position, up to the end or without end; the position then."""
    if endless:
        for page in follow(connection, since, limit=_PAGE, datasets=datasets, own=own):
            _show(screen, page.changes, page.position)
    while True:
        page = changes(connection, since, limit=_PAGE, datasets=datasets, own=own)
        since = page.position
        _show(screen, page.changes, since)
        if not page.more:
            return since


def show_snapshot(
    screen: Screen, connection: psycopg.Connection, datasets: Collection[str] | None, at: int | None, own: bool = False
) -> Position:
    """Print all rows as of a publish (None: the newest); the position from which to follow."""
    with snapshot(connection, datasets, at=at, own=own) as (position, rows):
        for row in rows:
            _line(screen, asdict(row), _told(row, "row"))
    _end(screen, position)
    return position


def _show(screen: Screen, found: list[Change], position: Position) -> None:
    for change in found:
        _line(screen, asdict(change), f"{change.publish}:{change.sequence} {_told(change, change.operation)}")
    _end(screen, position)


def _end(screen: Screen, position: Position) -> None:
    _line(screen, {"position": str(position)}, f"position {position}")
    sys.stdout.flush()


def _told(one: Change | Row, what: str) -> str:
    """One line for people; a row's columns are in ``--json``."""
    validity = f" from {one.valid_from}" if one.valid_from else ""
    validity += f" to {one.valid_to}" if one.valid_to else ""
    key = ", ".join(f"{k}={v}" for k, v in (one.key or {}).items())
    return f"{what} {one.dataset} {one.entity_id}{validity}" + (f" ({key})" if key else "")


def _line(screen: Screen, value: dict[str, Any], text: str) -> None:
    if screen.as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_exact) + "\n")
    else:
        screen.say(text)


def _exact(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else plain(value)
