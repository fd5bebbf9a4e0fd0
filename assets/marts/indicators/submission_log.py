"""The log of submissions (D00, domain brief §8): what was due from whom and what became of it, as of each publish.

A function of the set: whether a day has passed is asked of the ledger (the day of the last receipt), never of the clock, so that a
replay says the same. Here: what is due, and writing what differs. Not here: the indicators made of it (I42 to I45).

What counts as due: of a contract with a ``dueDay``, every sender that it names, for every period from the first that anybody sent,
once the day is past (:mod:`assets.reference.due`). Rows with the value of ``dueBefore`` are due before their period: their line
has the value after the period (2026/KE_HOACH) and belongs to the month in which they were due. A reminder is one day past without
a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import psycopg

from assets.reference.due import expected
from assets.reference.store import stored_workdays
from schemas.contract import Contract
from schemas.migrate import quote

_HERE = Path(__file__).parent
WAIVED = (_HERE.parent / "waived_rows.sql").read_text(encoding="utf-8")
"""SQL of rows with errors that were waived (assessment_no, rows)."""


def derive(connection: psycopg.Connection, contracts: Mapping[str, Contract], publish: int) -> bool:
    """Derive the log anew, in the caller's transaction, where ledger, standings or contracts changed; whether it differs."""
    # what counts as received more than a year after it was written down has its time from a wrong clock: it would make
    # everybody late for all that is due until then
    horizon = connection.execute(
        "select (max(received_at) at time zone 'Asia/Ho_Chi_Minh')::date from intake.delivery "
        "where received_at <= recorded_at + interval '1 year'"
    ).fetchone()
    day = horizon[0] if horizon is not None else None
    facts = connection.execute(
        "select (select max(submission_no) from intake.submission), (select count(*) from intake.submission), "
        "(select max(assessment_no) from intake.assessment), (select max(decision_id) from intake.decision), "
        "(select count(*) from intake.submission where state = 'rejected'), "
        "(select max(publish_from) from core.standing), (select max(publish_to) from core.standing), "
        "(select max(version) from core.reference_version)"
    ).fetchone()
    said = [
        (
            c.dataset,
            c.version,
            c.senders,
            c.due_from,
            c.due_day,
            c.due_months,
            c.period_type,
            c.calendar,
            c.due_before,
            c.due_shift,
            _required(c),
        )
        for c in contracts.values()
    ]
    mark = hashlib.sha256(repr((day, facts, sorted(said), _sql("submission_log"))).encode()).hexdigest()[:16]
    before = connection.execute("select fingerprint from core.submission_log_run where publish_to is null").fetchone()
    if day is None or (before is not None and before[0] == mark):
        return False
    connection.execute("set local client_min_messages = warning")
    _due(connection, contracts, day)
    early_rows(connection, contracts)
    required = {"datasets": list(contracts), "required": [_required(c) for c in contracts.values()]}
    connection.execute(_sql("submission_log").format(waived=WAIVED), required)
    parameters = {"publish": publish}
    closed = connection.execute(_sql("submission_log_close"), parameters).rowcount
    opened = connection.execute(_sql("submission_log_open"), parameters).rowcount
    connection.execute("drop table _due, _early, _log")
    if closed or opened or before is None:
        connection.execute("update core.submission_log_run set publish_to = %s where publish_to is null", [publish])
        # where nothing came of it there may be no such publish
        number = publish if closed or opened else 0
        connection.execute(
            "insert into core.submission_log_run (fingerprint, publish_from) values (%s, %s)", [mark, number]
        )
    else:
        connection.execute("update core.submission_log_run set fingerprint = %s where publish_to is null", [mark])
    return bool(closed or opened)


def _sql(file: str) -> str:
    return (_HERE / f"{file}.sql").read_text(encoding="utf-8")


def _required(contract: Contract) -> int:
    return sum(c.required for c in contract.columns)


def _due(connection: psycopg.Connection, contracts: Mapping[str, Contract], horizon: date) -> None:
    """Fill ``_due``: who was due to send which period until when."""
    first: dict[str, date] = dict(
        connection.execute(
            "select dataset, min(period_first) from intake.submission where period_first is not null and dataset is not null "
            "group by dataset"
        ).fetchall()
    )
    workdays = stored_workdays(connection)
    rows = [
        (c.dataset, e.label, e.first, e.last, e.due_on)
        for c in contracts.values()
        if c.dataset in first
        for e in expected(c, first[c.dataset], horizon, workdays)
        if e.due_on < horizon
    ]
    connection.execute(
        "create temporary table _due (dataset text, sender text, period text, period_first date, period_last date, due_on date) "
        "on commit drop"
    )
    connection.execute(
        _sql("due"),
        {
            **{name: [row[n] for row in rows] for n, name in enumerate(("dataset", "period", "first", "last", "day"))},
            "of": [c.dataset for c in contracts.values() for _ in c.due_from],
            "wanted": [s for c in contracts.values() for s in c.due_from],
        },
    )


def early_rows(connection: psycopg.Connection, contracts: Mapping[str, Contract]) -> None:
    """Fill ``_early``: how many rows of an assessment are due before their period, and how many are not."""
    connection.execute(
        "create temporary table _early (assessment_no bigint, early boolean, value text, good bigint, bad bigint, alone boolean) "
        "on commit drop"
    )
    for contract in contracts.values():
        if contract.due_before is not None:
            column, value = contract.due_before
            text = _sql("early").format(rows=quote(f"{contract.dataset}_rows"), column=quote(column))
            connection.execute(text, {"value": value})
