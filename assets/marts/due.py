"""What is expected from whom until when, and what became of it: ``ops.due``, a row for each sender, dataset and period.

Unlike the log of submissions (D00), which is part of the warehouse and knows no clock, this is the state of affairs at a moment:
what comes up, what is open, what is overdue today. Reminders, the check in Dagster and ``lienthong due`` read it. Here: deriving
and reading it. Not here: the days (:mod:`assets.reference.due`), who is reminded of what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.marts.indicators.submission_log import early_rows
from assets.reference.due import expected
from assets.reference.store import stored_workdays
from schemas.contract import Contract
from schemas.vietnam import local_day

_HERE = Path(__file__).parent
STATES = ("UPCOMING", "OPEN", "OVERDUE", "RECEIVED", "HELD", "REJECTED", "PARTLY", "ACCEPTED")
"""In the order in which a period goes through them."""
UNSETTLED = ("OVERDUE", "REJECTED", "HELD", "RECEIVED", "OPEN")
"""States in which something is still to be done, the worst first."""


@dataclass(frozen=True)
class Derived:
    """What :func:`derive_due` found: rows by state, and how many rows it wrote or removed."""

    states: dict[str, int]
    changed: int


def derive_due(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], now: datetime, since: date | None = None
) -> Derived:
    """Bring ``ops.due`` up to a moment, in one transaction; again at the same moment changes nothing.

    Expected is each period of a contract with a ``dueDay`` that ends on ``since`` or later, up to the one that runs, from each
    sender in ``dueFrom`` that there was on its last day. Without ``since``: from the first period of the dataset that anybody sent;
    of one that nobody ever sent, from the first that ended after the first delivery: years before the pipeline are nobody's debt.
    Raises :class:`assets.reference.workdays.UnknownDay` for a moment outside the years whose holidays are known.
    """
    today = local_day(now)
    workdays = stored_workdays(connection)
    workdays.works(today)
    wanted = [c for c in contracts.values() if c.due_day is not None]
    with connection.transaction():
        first = _first(connection)
        rows = [
            (c.dataset, e)
            for c in wanted
            for start in [since or first.get(c.dataset, first.get("", today))]
            for e in expected(c, start, today, workdays)
            if e.last >= start
        ]
        connection.execute("set local client_min_messages = warning")
        early_rows(connection, contracts)
        connection.execute(
            _sql("due"),
            {
                "dataset": [dataset for dataset, _ in rows],
                "period": [e.label for _, e in rows],
                "first": [e.first for _, e in rows],
                "last": [e.last for _, e in rows],
                "opens": [e.opens_on for _, e in rows],
                "day": [e.due_on for _, e in rows],
                "of": [c.dataset for c in wanted for _ in c.due_from],
                "wanted": [s for c in wanted for s in c.due_from],
                "now": now,
                "today": today,
            },
        )
        changed = connection.execute(_sql("due_write"), {"now": now}).rowcount
        changed += connection.execute(
            "delete from ops.due o where not exists "
            "(select from _due d where (d.sender, d.dataset, d.period) = (o.sender, o.dataset, o.period))"
        ).rowcount
        states: dict[str, int] = dict(connection.execute("select state, count(*) from _due group by 1").fetchall())
        connection.execute("delete from ops.due_run")
        connection.execute("insert into ops.due_run values (%s)", [now])
        connection.execute("drop table _due, _early")
    return Derived({state: states[state] for state in STATES if state in states}, changed)


def _first(connection: psycopg.Connection) -> dict[str, date]:
    """Dataset -> first day of the first period that anybody sent; '' -> day of the first delivery."""
    return dict(
        connection.execute(
            "select dataset, min(period_first) from intake.submission where period_first is not null and dataset is not null "
            "group by dataset union all "
            "select '', min((received_at at time zone 'Asia/Ho_Chi_Minh')::date) from intake.delivery having count(*) > 0"
        ).fetchall()
    )


def read_due(
    connection: psycopg.Connection,
    *,
    dataset: str | None = None,
    sender: str | None = None,
    states: Sequence[str] = (),
    until: date | None = None,
) -> list[dict[str, Any]]:
    """The rows of ``ops.due`` with the sender's name, those due first first; ``sender``: those that it answers for;
    ``until``: due by that day."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            _sql("due_read"), {"dataset": dataset, "sender": sender, "states": list(states), "until": until}
        ).fetchall()


def worst(connection: psycopg.Connection, now: datetime | None = None) -> list[dict[str, Any]]:
    """What is late and not settled, by period: dataset, period, due_on, state, senders (how many), first (codes of the first ten);
    the oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_sql("due_worst"), {"now": now}).fetchall()


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")
