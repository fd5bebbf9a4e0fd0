"""Closing periods (chốt số liệu): from then on what comes for the period is held, with its reason, until a person accepts it or
the period is opened again, with a reason.

A close and a reopening are decisions of the ledger (``intake.closing``), so the warehouse stays a function of the set (law 2): what
was received up to the moment of the close counts, whenever it is read; what came later waits. Nothing already in force changes by
a close. Here: deciding and reading. What it does to a submission: :mod:`.standing`. Who is expected to send: ``ops.due``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.reference.workdays import Workdays
from schemas.contract import Contract
from schemas.periods import Period, parse_period
from schemas.vietnam import local_day

from .decided import IN_DATASETS
from .statements import statement

BY_SCHEDULE = "schedule"
"""Who decided where the contract's ``closeAfter`` did."""


class CannotClose(Exception):
    """The period cannot be closed or opened again; the text says why and what would do."""


def plan(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], now: datetime, workdays: Workdays
) -> list[dict[str, Any]]:
    """Periods that are over and not closed, the oldest first: dataset, period, due_on, closes_on (after which day the schedule
    closes it; None: never by itself), expected and missing (senders), missing_first (codes of the first ten), held and waiting
    (submissions that stand undecided, or are not published yet). Reads ``ops.due`` as it was last derived."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            statement("closing_plan"), {"datasets": _closable(contracts), "today": local_day(now)}
        ).fetchall()
    for row in found:
        after = contracts[row["dataset"]].close_after
        row["closes_on"] = None if after is None or row["due_on"] is None else workdays.shift(row["due_on"], after)
    return found


def close_due(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], now: datetime, workdays: Workdays
) -> list[dict[str, Any]]:
    """Close what the contracts say is to be closed by now (``closeAfter``); the rows of :func:`plan` that were closed. Again, or
    twice at once, closes nothing more. A period that was opened again stays open until a person closes it."""
    today = local_day(now)
    with _deciding(connection):
        ready = [
            row for row in plan(connection, contracts, now, workdays)
            if row["closes_on"] is not None and row["closes_on"] < today and not row["reopened"]
        ]  # fmt: skip
        for row in ready:
            days = contracts[row["dataset"]].close_after
            reason = f"closeAfter: {days} working days after {row['due_on'].isoformat()}"
            _write(connection, "close", row["dataset"], row["period"], reason, BY_SCHEDULE, now)
    return ready


def close(
    connection: psycopg.Connection,
    contract: Contract,
    period: str,
    *,
    reason: str,
    by: str,
    now: datetime,
    early: bool = False,
) -> None:
    """Close a period of a dataset at a moment. Raises :class:`CannotClose`; ``early``: also before its due day has passed."""
    last = _checked(contract, period, reason).last
    if local_day(now) <= last:
        raise CannotClose(f"{period} of {contract.dataset} runs until {last.isoformat()}; nobody can have sent it yet")
    with _deciding(connection):
        if (since := _closed_at(connection, contract.dataset, period)) is not None:
            raise CannotClose(
                f"{period} of {contract.dataset} is closed since {local_day(since).isoformat()}; "
                "to take in what came later, open it again, publish, and close it then"
            )
        due = _due_on(connection, contract.dataset, period)
        if due is not None and local_day(now) <= due and not early:
            raise CannotClose(
                f"{period} of {contract.dataset} may be sent until {due.isoformat()}: what comes in time would be held; "
                "--early closes it all the same"
            )
        _write(connection, "close", contract.dataset, period, reason, by, now)


def reopen(
    connection: psycopg.Connection, contract: Contract, period: str, *, reason: str, by: str, now: datetime
) -> int:
    """Open a closed period again: all that came since counts with the next publish, but what is held for another reason. How many
    submissions are held because of the close. Raises :class:`CannotClose` where it is not closed."""
    _checked(contract, period, reason)
    with _deciding(connection):
        if _closed_at(connection, contract.dataset, period) is None:
            raise CannotClose(f"{period} of {contract.dataset} is not closed; `lienthong closes` says what is")
        held = connection.execute(
            "select count(*) from core.standing s join intake.submission u using (submission_no) where s.publish_to is null "
            "and s.standing = 'held' and u.dataset = %s and u.period = %s and s.reasons @> '[{\"code\": \"PERIOD_CLOSED\"}]'",
            [contract.dataset, period],
        ).fetchone()
        _write(connection, "reopen", contract.dataset, period, reason, by, now)
    assert held is not None
    return int(held[0])


def closes(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """What was closed, the newest period first: dataset, period, times, closed_at (None: opened again), reopened_at, reason,
    decided_by, publish (what was shown then), held (submissions that came later and wait), figures_changed (values of indicators
    of this period that are made of the dataset and are no longer what they were when it was closed)."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("closing_closes")).fetchall()


def _closable(contracts: Mapping[str, Contract]) -> list[str]:
    return [name for name in contracts if name not in IN_DATASETS]


def _checked(contract: Contract, period: str, reason: str) -> Period:
    if not reason.strip():
        raise CannotClose("a decision needs a reason: --reason '...'")
    if contract.dataset in IN_DATASETS:
        raise CannotClose(
            f"{contract.dataset} holds decisions, of which the last word counts: it has no figures to close"
        )
    try:
        found = parse_period(period, contract.calendar)
    except ValueError as wrong:
        raise CannotClose(str(wrong)) from None
    if found.kind != contract.period_type:
        raise CannotClose(f"{contract.dataset} is sent by the {contract.period_type}; {period} is a {found.kind}")
    return found


@contextmanager
def _deciding(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction in which nobody else closes or opens anything; readers and publishers go on."""
    with connection.transaction():
        connection.execute("lock table intake.closing in share row exclusive mode")
        yield


def _closed_at(connection: psycopg.Connection, dataset: str, period: str) -> datetime | None:
    row = connection.execute(
        "select closed_at from ops.close where dataset = %s and period = %s", [dataset, period]
    ).fetchone()
    return None if row is None else row[0]


def _due_on(connection: psycopg.Connection, dataset: str, period: str) -> date | None:
    row = connection.execute(
        "select max(due_on) from ops.due where dataset = %s and split_part(period, '/', 1) = %s", [dataset, period]
    ).fetchone()
    return None if row is None else row[0]


def _write(
    connection: psycopg.Connection, kind: str, dataset: str, period: str, reason: str, by: str, now: datetime
) -> None:
    # what is decided later is the later word also where the clock was put back between the two
    connection.execute(
        "insert into intake.closing (kind, dataset, period, reason, decided_by, decided_at, publish) "
        "select %(kind)s, %(dataset)s, %(period)s, %(reason)s, %(by)s, greatest(%(now)s, (select max(c.decided_at) + interval "
        "'1 microsecond' from intake.closing c where (c.dataset, c.period) = (%(dataset)s, %(period)s))), p.shows "
        "from (values (1)) one left join core.pointer p on true",
        {"kind": kind, "dataset": dataset, "period": period, "reason": reason, "by": by, "now": now},
    )
