"""``lienthong contracts template``: which workbooks are asked for, and where they are written.

Not here: what stands in them (:mod:`assets.returns.template`).
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from assets.intake.submissions import SenderInfo, may_send
from schemas.contract import Contract
from schemas.periods import Period, parse_period

from .cli_worklist import write
from .flow import Pipeline
from .report import Unclear, find_contract

__all__ = ["book", "place", "wanted", "write"]


def wanted(
    pipeline: Pipeline, dataset: str | None, sender: str, label: str, *, every: bool
) -> list[tuple[Contract, Period]]:
    """The contracts of which a template is asked for, with the period as each counts it; raises :class:`Unclear`."""
    if (dataset is None) != every:
        raise Unclear("name a dataset, or say --all for those that are due from the sender")
    info = known_sender(pipeline, sender)
    if dataset is not None:
        contract = find_contract(pipeline.contracts, dataset)
        if not may_send(contract, info):
            raise Unclear(f"{sender} does not send {dataset}; it is sent by: {', '.join(contract.senders)}")
        period = _period(label, contract)
        if period.kind != contract.period_type:
            raise Unclear(f"{dataset} is sent by the {contract.period_type}; {label} is a {period.kind}")
        return [(contract, period)]
    found = [
        (contract, period)
        for contract in pipeline.contracts.values()
        if contract.due_day is not None
        and may_send(contract, info, contract.due_from)
        and (period := _period(label, contract)).kind == contract.period_type
    ]
    if not found:
        raise Unclear(f"nothing is due from {sender} for {label}")
    return found


def known_sender(pipeline: Pipeline, code: str) -> SenderInfo:
    """The sender of a code; raises :class:`Unclear`."""
    if code not in pipeline.senders:
        raise Unclear(
            f"there is no sender {code}; communes are named by their five digits, departments as in senders.csv"
        )
    return pipeline.senders[code]


def _period(label: str, contract: Contract) -> Period:
    try:
        return parse_period(label, contract.calendar)
    except ValueError as error:
        raise Unclear(str(error)) from None


def place(contract: Contract, sender: str, period: Period, out: Path | None, *, every: bool) -> Path:
    """Where a workbook is written; with ``every`` in the folder ``out``, which is made where it is absent."""
    name = f"{contract.dataset}_{sender}_{period.label}.xlsx"
    if not every:
        return out or Path(name)
    folder = out or Path()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def book(
    connection: psycopg.Connection,
    pipeline: Pipeline,
    contract: Contract,
    sender: str,
    period: Period,
    *,
    personal: bool,
    by: str,
) -> bytes:
    """The workbook of a sender for a period; ``personal``: with its own people, noted under the name ``by``."""
    from assets.returns.template import start, template_book

    info, vault = pipeline.senders[sender], pipeline.vault if personal else None
    begin = start(connection, contract, info, period, province=pipeline.settings.province, personal=vault, by=by)
    return template_book(contract, info, period, begin)
