"""Since when a publish says anything else of a dataset than the last one: what is derived from its days need not look further back.

Here: comparing the versions that a publish begins and ends. Not here: what is then derived again (:mod:`.findings`,
:mod:`.indicators`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

import psycopg

from schemas.contract import Contract
from schemas.migrate import quote

_HERE = Path(__file__).parent
_VERSIONS = (_HERE / "touched.sql").read_text(encoding="utf-8")
_MEMBERS = (_HERE / "touched_members.sql").read_text(encoding="utf-8")


def touched(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], publish: int, changed: Collection[str]
) -> dict[str, date]:
    """Dataset -> the earliest day of which the open publish says anything else than the last; none where nothing differs."""
    found: dict[str, date] = {}
    for dataset in contracts.keys() & set(changed):
        day = min(touched_days(connection, contracts[dataset], "''", publish).values(), default=None)
        if day is not None:
            found[dataset] = day
    for dataset in {"assignments", "kpi_evaluations", "staff"} & contracts.keys() if "staff" in changed else ():
        # another person may hold a post now, whenever that was
        row = connection.execute(_MEMBERS.format(name=quote(dataset)), {"publish": publish}).fetchone()
        if row is not None and row[0] is not None:
            found[dataset] = min(found.get(dataset, date.max), row[0])
    return found


def touched_days(connection: psycopg.Connection, contract: Contract, code: str, publish: int) -> dict[str, date]:
    """The same for the rows of each code (SQL over a row) of one dataset."""
    text = _VERSIONS.format(name=quote(contract.dataset), code=code, said=_said(contract))
    return dict(connection.execute(text, {"publish": publish}).fetchall())


def _said(contract: Contract) -> str:
    """What a row says of each of its days: where it carries its own end, that is none of it."""
    if contract.valid_to_column is None:
        return "value_hash"
    columns = ", ".join(quote(c.name) for c in contract.columns if c.name != contract.valid_to_column)
    return f"md5(row({columns})::text)"
