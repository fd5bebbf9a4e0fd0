"""The audit log (``ops.audit``): reading it, and proving that nothing of it was changed, removed or put in between.

Each row has a link, the SHA-256 of the link before it and of what the row says, written by the database at commit. Here: looking.
Writing: whoever does what is to be written down (:func:`assets.core.person.audit`; decisions, tickets and readings of the vault:
triggers and functions of migrations 0020, 0024, 0025).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from .statements import statement

FAULTS = {
    "CHANGED": "row {row} of the log is not what it was when link {number} was written",
    "GAP": "link {number} is not there: rows were removed from the log",
    "UNLINKED": "row {row} of the log was written without its link",
    "HEAD": "the end of the chain is not the link that the database has as its last ({number})",
    "DECISION": "decision {row} is not what the log says of it, or not in the log",
    "LOST": "the log speaks of decision {row}, which is not there",
    "NOT_EXPECTED": "link {number} is not the one that was noted: what was the end of the chain then is no part of it now",
}
"""What can be wrong, with its text."""
_SHOWN = 100


class BadLink(ValueError):
    """A noted end of the chain that is none."""


@dataclass(frozen=True)
class Fault:
    """Something that was done to the log; ``row``: of the log, or the decision's number."""

    code: str
    number: int | None = None
    row: int | None = None

    def __str__(self) -> str:
        return FAULTS[self.code].format(number=self.number, row=self.row)


@dataclass
class Verified:
    """What :func:`verify` found: how many rows are linked, the end of the chain (``NUMBER:HASH``), and the first faults."""

    rows: int
    head: str
    faults: list[Fault] = field(default_factory=list)


def verify(connection: psycopg.Connection, expected: str | None = None) -> Verified:
    """Compute the whole chain again, in one snapshot. ``expected``: an end of it that was noted before (``NUMBER:HASH``), kept
    where who may write to the database may not: only with it a log that was cut short, or made anew as a whole, is told.

    Raises :class:`BadLink` for an ``expected`` that is none."""
    noted = None if expected is None else _parsed(expected)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        row = connection.execute(
            "select h.number, encode(h.link, 'hex'), (select count(*) from ops.audit_link) from ops.audit_head h"
        ).fetchone()
        if row is None:
            return Verified(0, "", [Fault("HEAD")])
        found = connection.execute(statement("audit_faults"), {"limit": _SHOWN}).fetchall()
        faults = [Fault(*r) for r in found]
        if noted is not None:
            there = connection.execute(
                "select from ops.audit_link where number = %s and encode(link, 'hex') = %s", noted
            ).fetchone()
            if there is None and noted != (row[0], row[1]):
                faults.append(Fault("NOT_EXPECTED", noted[0]))
    return Verified(row[2], f"{row[0]}:{row[1]}", faults)


def entries(
    connection: psycopg.Connection,
    *,
    action: str | None = None,
    who: str | None = None,
    dataset: str | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Rows of the log, the newest first: audit_id, number (of its link), at, who, action, dataset, entity_id, reason, details."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select a.audit_id, l.number, a.at, a.who, a.action, a.dataset, a.entity_id, a.reason, a.details "
            "from ops.audit a left join ops.audit_link l using (audit_id) "
            "where (%(action)s::text is null or a.action = %(action)s) and (%(who)s::text is null or a.who = %(who)s) "
            "and (%(dataset)s::text is null or a.dataset = %(dataset)s) and (%(since)s::timestamptz is null or a.at >= %(since)s) "
            "order by a.audit_id desc limit %(limit)s",
            {"action": action, "who": who, "dataset": dataset, "since": since, "limit": limit},
        ).fetchall()


def readings(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """Who read the vault with tickets: login, readings (counted, whatever became of them), logged (with a line of their own), gaps:
    what is missed, as [{missed, after, before}] with the times of the lines around (None: none).

    Missed is a reading that was rolled back, or is under way. A server that was stopped hard skips up to 32 numbers of a reader."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("audit_readings")).fetchall()


def _parsed(expected: str) -> tuple[int, str]:
    number, _, link = expected.strip().partition(":")
    if not number.isdecimal() or len(number) > 18 or len(link) != 64 or set(link.lower()) - set("0123456789abcdef"):
        raise BadLink("the noted end of the chain is NUMBER:HASH, as `lienthong audit verify` prints it")
    return int(number), link.lower()
