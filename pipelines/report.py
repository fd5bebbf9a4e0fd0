"""What the ledger says about the whole: who sent what, how it stands, what waits for somebody. Reading only.

Here: questions to the ledger for people who run the pipeline. What is said to one sender about one submission is in
:mod:`assets.returns.answers`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.reference.compare import published_differences
from schemas.contract import Contract

_HERE = Path(__file__).parent

STATES = ("accepted", "partly", "held", "rejected", "repeated", "superseded", "withdrawn", "staged", "received")
"""States of a submission, in the order in which they are shown."""
TROUBLED = frozenset({"partly", "held", "rejected"})
"""States that somebody should look at: they make the exit code 1."""


class Unclear(Exception):
    """What was asked for names nothing, or several things; the text says what to write instead."""


def _rows(connection: psycopg.Connection, file: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute((_HERE / f"{file}.sql").read_text(encoding="utf-8"), parameters).fetchall()


def find_submission(connection: psycopg.Connection, start: str) -> str:
    """The id of the only submission whose id begins so; raises :class:`Unclear`."""
    found = [
        r[0]
        for r in connection.execute(
            "select submission_id from intake.submission where starts_with(upper(submission_id), upper(%s)) limit 6",
            [start],
        )
    ]
    if start in found:
        return start
    if not found:
        raise Unclear(f"there is no submission {start}; `lienthong status` lists those that wait for somebody")
    if len(found) > 1:
        raise Unclear(f"{start} is the beginning of several submissions ({', '.join(sorted(found))}); write more of it")
    return str(found[0])


def find_contract(contracts: dict[str, Contract], dataset: str) -> Contract:
    """The contract of a dataset; raises :class:`Unclear` with the names there are."""
    if dataset not in contracts:
        raise Unclear(f"there is no dataset {dataset}; there are: {', '.join(contracts)}")
    return contracts[dataset]


def sender_names(connection: psycopg.Connection) -> dict[str, str]:
    """Name of each sender by code."""
    return dict(connection.execute("select code, name from core.sender").fetchall())


def published(connection: psycopg.Connection) -> dict[str, Any]:
    """What readers see: ``number`` of the newest publish, what it ``shows``, ``published_at``, ``taken_back``."""
    row = connection.execute(
        "select p.number, p.shows, p.published_at, (select k.kind = 'back_to' from core.publish k "
        "where k.state = 'published' and k.kind <> 'erasure' order by k.number desc limit 1) from core.publish p "
        "where p.state = 'published' order by p.number desc limit 1"
    ).fetchone()
    assert row is not None  # number 0 comes with the migration
    return {"number": row[0], "shows": row[1], "published_at": row[2] if row[0] else None, "taken_back": row[3]}


def overview(connection: psycopg.Connection) -> dict[str, Any]:
    """The whole at a glance.

    Keys: publish (:func:`published`), secrets (:func:`secrets`), pending (deliveries that nobody has read yet),
    datasets [{dataset (None: not recognised), state, submissions, rows_accepted, rows_quarantined, rows_set_aside}],
    held, rejected [{submission_id, dataset, sender, sender_name, period, received_at, file_name, origin, state,
    problems, mended}], work [{dataset, rule, column_name, rows, submissions, example}], ends_nobody [submission ids:
    snapshots in force whose silence proves nothing], could_not_run [{submission_id, rule}], crosswalk
    (:func:`assets.reference.compare.published_differences`).
    """
    waiting = _rows(connection, "report_waiting")
    pending = connection.execute("select count(*) from intake.delivery where state = 'received'").fetchone()
    assert pending is not None
    ends_nobody = connection.execute(
        "select u.submission_id from core.standing s join intake.submission u using (submission_no) "
        "where s.publish_to is null and s.ends_nobody and s.standing = 'in_force' order by 1"
    ).fetchall()
    could_not_run = connection.execute(
        "select u.submission_id, c.check_id from intake.submission u join staging.check_result c using (assessment_no) "
        "where c.status = 'could_not_run' and u.state in ('held', 'partly', 'accepted') order by 1, 2"
    ).fetchall()
    return {
        "publish": published(connection),
        "secrets": secrets(connection),
        "pending": pending[0],
        "datasets": _rows(connection, "report_states"),
        "held": [w for w in waiting if w["state"] == "held"],
        "rejected": [w for w in waiting if w["state"] == "rejected"],
        "work": _rows(connection, "report_work"),
        "ends_nobody": [r[0] for r in ends_nobody],
        "could_not_run": [{"submission_id": r[0], "rule": r[1]} for r in could_not_run],
        "crosswalk": published_differences(connection),
    }


def secrets(connection: psycopg.Connection, deliveries: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Deliveries (all, or of those named) that were refused for a secret marking, newest first: an alert.

    Keys: delivery_id, submission_id (None: not answered yet), sender, sender_name, period, received_at, size, sha256, kept
    [ids of submissions with the same bytes, sent without a marking, that the archive holds].
    """
    return _rows(connection, "report_secrets", {"ids": None if deliveries is None else list(deliveries)})


def matrix(connection: psycopg.Connection, contract: Contract) -> dict[str, Any]:
    """Who has sent a dataset for which period.

    Keys: dataset, periods (oldest first), senders [{sender, name, cells: {period: {state, submission_id,
    received_at}}}]: all who are asked to send it, whether they did or not, and whoever else did.
    """
    cells = _rows(connection, "report_matrix", {"dataset": contract.dataset})
    first = {c["period"]: c["period_first"] for c in cells}
    senders = connection.execute("select code, name, kind from core.sender order by code").fetchall()
    asked = {code: name for code, name, kind in senders if _asked(contract.senders, code, kind)}
    names = {code: name for code, name, _ in senders}
    for code in sorted({c["sender"] for c in cells}):
        asked.setdefault(code, names.get(code, ""))
    by_sender: dict[str, dict[str, Any]] = {code: {} for code in asked}
    for c in cells:
        by_sender[c["sender"]][c["period"]] = {k: c[k] for k in ("state", "submission_id", "received_at")}
    return {
        "dataset": contract.dataset,
        "periods": sorted(first, key=lambda period: first[period]),
        "senders": [{"sender": code, "name": asked[code], "cells": by_sender[code]} for code in sorted(asked)],
    }


def _asked(wanted: Sequence[str], code: str, kind: str) -> bool:
    return code in wanted or "any" in wanted or ("communes" if kind == "commune" else "departments") in wanted


def touched(connection: psycopg.Connection, ids: Collection[str], publish: int | None) -> list[dict[str, Any]]:
    """The submissions of these ids and those whose state that publish changed, in order of receipt."""
    return _rows(connection, "report_touched", {"ids": list(ids), "publish": publish})


def counts(submissions: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many submissions are in which state; every state of :data:`STATES` that occurs, in that order."""
    found = Counter(s["state"] for s in submissions)
    return {state: found[state] for state in STATES if found[state]}
