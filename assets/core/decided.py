"""Decisions that come through the inbox: datasets like any other, so that they can be traced, replaced and withdrawn.

Here: reading them for the steps that obey them, and telling the audit log of them. Not here: decisions of the command line
(:mod:`.decisions`, the ledger's ``intake.decision``), what a decision brings about (:mod:`.standing`, identity).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

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


def write_down(connection: psycopg.Connection, publish: int, changed: Collection[str]) -> int:
    """Write down for the audit log what rows of decisions begin, or cease, to say with a publish, in the transaction that shows it;
    how many. ``changed``: the datasets that the publish changed. Again: nothing.

    A row counts as soon as its submission is in force, whether or not what it decides about has come yet."""
    filed = 0
    for dataset in IN_DATASETS:
        if dataset in changed:
            row = connection.execute("select intake.file_decisions(%s, %s, true)", [dataset, publish]).fetchone()
            assert row is not None
            filed += row[0]
    return filed


def merged(connection: psycopg.Connection, dataset: str) -> bool:
    """Whether the installation has the dataset at all: an installation may do with other contracts."""
    row = connection.execute("select to_regclass(%s) is not null", [f"core.{dataset}"]).fetchone()
    return row is not None and bool(row[0])
