"""Conflicts: what senders say of an entity beside the value that stands (:mod:`assets.core.survivorship`).

Derived with the history and kept like it, by valid time and publish: a conflict ends when nobody says anything else any
more, and a publish that is taken back takes its conflicts back. A blank is no word, and neither is another spelling of the
key, which is what makes the senders speak of one entity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from schemas.contract import Contract

from .statements import statement
from .survivorship import parts

TEMPORARY = ("_conflict",)


@dataclass(frozen=True)
class Conflict:
    """One column of one entity about which senders differ, over a span of valid time.

    ``chosen``: {sender, value}; ``others``: [{sender, value}] of all others who give a value, by sender, also of those
    who agree; ``rule``: one of ``survivorship.RULES``; ``since``: the day from which there has been a conflict without
    a break.
    """

    dataset: str
    entity_id: int
    attribute: str
    valid_from: date
    valid_to: date | None
    chosen: dict[str, Any]
    others: list[dict[str, Any]]
    senders: list[str]
    rule: str
    since: date


def conflicts(connection: psycopg.Connection, dataset: str | None = None) -> list[Conflict]:
    """Conflicts that readers' publish has and that no end is known of, of one dataset or of all, in a fixed order."""
    rows = connection.execute(statement("conflicts"), {"dataset": dataset})
    return [Conflict(*r) for r in rows]


def write(
    connection: psycopg.Connection,
    contract: Contract,
    names: Mapping[str, str],
    parameters: dict[str, Any],
    *,
    composed: bool,
) -> tuple[int, int]:
    """Write what differs from the last publish about the conflicts of the touched entities; (opened, closed).

    ``names``: parts of the SQL (:mod:`.merge`); ``parameters``: dataset, publish, days. ``composed``: whether several senders speak
    of any of them, so that ``_word`` and ``_composed`` are there.
    """
    closing = connection.execute(
        "select exists (select from core.conflict where dataset = %s and publish_to is null)", [contract.dataset]
    ).fetchone()
    if not composed and not (closing and closing[0]):
        return 0, 0
    if composed:
        connection.execute(statement("conflict", said=parts(contract)["said"], apart=names["apart"]))
    else:
        connection.execute(statement("conflict_none"))
    closed = connection.execute(statement("conflict_close", closing=names["closing"]), parameters).rowcount
    opened = connection.execute(statement("conflict_open"), parameters).rowcount
    return opened, closed
