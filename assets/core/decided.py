"""Decisions that come through the inbox: datasets like any other, so that they can be traced, replaced and withdrawn.

Here: reading them for the steps that obey them. Not here: decisions of the command line (:mod:`.decisions`, the ledger's
``intake.decision``), what a decision brings about (:mod:`.standing`, identity).
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import psycopg

from schemas.contract import Contract

from .standing import Decision
from .statements import statement

HOLDS, IDENTITY = "hold_decisions", "identity_decisions"
IN_DATASETS = (HOLDS, IDENTITY)
"""Datasets whose rows are decisions, in the order of merging: each before what it decides about."""


def decisions_first(contracts: Iterable[Contract]) -> list[Contract]:
    """Contracts in the order in which a publish merges them: decisions before what they decide about, else as given."""
    rank = {name: n for n, name in enumerate(IN_DATASETS)}
    return sorted(contracts, key=lambda c: rank.get(c.dataset, len(rank)))


def identity_decisions(connection: psycopg.Connection, dataset: str) -> pl.DataFrame:
    """What people have decided about pairs of source records of a dataset, as merged under the open publish: left, right
    (Int64, left the smaller), same (Boolean); one row per pair, its last word, sorted."""
    schema = {"left": pl.Int64, "right": pl.Int64, "same": pl.Boolean}
    if not merged(connection, IDENTITY):
        return pl.DataFrame(schema=schema)
    query = statement("identity_decisions")
    rows = connection.execute(query.encode(), {"dataset": dataset}).fetchall()
    return pl.DataFrame(rows, schema=schema, orient="row")


def hold_decisions(connection: psycopg.Connection, dataset: str) -> list[Decision]:
    """What people have decided about held submissions of a dataset, as merged under the open publish.

    About submissions of decisions on holds none: whether these are in force must not hang on themselves."""
    if dataset == HOLDS or not merged(connection, HOLDS):
        return []
    query = statement("hold_decisions")
    return [Decision(*r) for r in connection.execute(query.encode(), {"dataset": dataset})]


def merged(connection: psycopg.Connection, dataset: str) -> bool:
    """Whether the installation has the dataset at all: an installation may do with other contracts."""
    row = connection.execute("select to_regclass(%s) is not null", [f"core.{dataset}"]).fetchone()
    return row is not None and bool(row[0])
