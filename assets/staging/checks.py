"""What the checks found, over what each sender last said: one query a dataset, read from what staging has written.

Beside the rules of the contract three more: cells that could be read, keys without contradiction, rows conserved. Not
here: running a rule (``expectations``), what follows from a failure for a submission (``assets.core.standing``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg

from expectations.suite import Check, checks_of
from schemas.contract import Contract
from schemas.migrate import quote

Status = Literal["passed", "failed", "could_not_run", "not_evaluated"]

CELLS, KEYS, ROWS = "readable_cells", "keys_agree", "rows_conserved"
_RECOUNT = 200
"""Submissions whose rows are counted again, the newest: an assessment does not change once it is written."""


@dataclass
class Result:
    """What one check found. ``places``: 'submission address, address' of the first failing rows."""

    id: str
    status: Status = "not_evaluated"
    submissions: int = 0
    evaluated: int = 0
    unexpected: int = 0
    could_not_run: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    by_code: dict[str, int] = field(default_factory=dict)


def results(
    connection: psycopg.Connection, contract: Contract, checks: Sequence[Check] | None = None
) -> dict[str, Result]:
    """The result of every check of the dataset by its id, the three general ones included.

    Nothing to look at is no pass: then a check is not evaluated.
    """
    rules = [c.id for c in (checks_of(contract) if checks is None else checks)]
    found = {name: Result(name) for name in (*rules, CELLS, KEYS, ROWS)}
    query = (Path(__file__).parent / "checks.sql").read_text(encoding="utf-8")
    parameters: dict[str, Any] = {
        "dataset": contract.dataset,
        "replaces": contract.delivery in ("snapshot", "facts"),
        "rules": rules,
    }
    general = {"CELLS": CELLS, "DUPLICATE_KEY": KEYS, "ROWS": ROWS}
    text = query.format(rows=quote(contract.dataset + "_rows"), recount=_RECOUNT)
    for id_, code, submissions, evaluated, unexpected, could_not_run, places in connection.execute(text, parameters):
        if id_ == "FIT":
            for name in (CELLS, KEYS):
                found[name].submissions, found[name].evaluated = submissions, evaluated
            continue
        result = found.get(general.get(str(id_), str(id_)))
        if result is None:  # a rule that the contract no longer has
            continue
        if id_ not in ("CELLS", "DUPLICATE_KEY"):
            result.submissions, result.evaluated = submissions, evaluated
        result.unexpected += unexpected
        result.could_not_run += could_not_run
        result.places = (result.places + list(places or ()))[:10]
        if code:
            result.by_code[code] = unexpected
    for result in found.values():
        result.status = _status(result)
    return found


def _status(result: Result) -> Status:
    if result.could_not_run:
        return "could_not_run"
    if result.unexpected:
        return "failed"
    return "passed" if result.evaluated else "not_evaluated"
