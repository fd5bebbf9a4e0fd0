"""Writing what is derived with a history by publish: rows that are no longer so end, rows that are new begin.

Here: the two statements, for any table of ``core`` with publish_from and publish_to. Not here: what should be in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import psycopg

from assets.staging.copy import copy_frame


@dataclass(frozen=True)
class Told:
    """SQL over a row ``t`` of the table: the two entities and the assessment that it is about."""

    sql: str = "null, null, null"


def write_differences(
    connection: psycopg.Connection,
    table: str,
    wanted: pl.DataFrame,
    publish: int,
    told: Told,
    of: Mapping[str, str | None],
) -> tuple[set[int], int]:
    """Close the rows of a table that are no longer so and open those that are new; the entities that these name, and how
    many they are. ``of``: the columns that say whose rows are compared, with their values; all others are in ``wanted``."""
    name, listed = f"core.{table}", ", ".join(wanted.columns)
    connection.execute(f"create temporary table _wanted on commit drop as select {listed} from {name} where false")
    copy_frame(
        connection, ("_wanted",), wanted.with_columns(pl.col("fields").fill_null("{}"), pl.col("weight").round(2))
    )
    same = " and ".join(f"w.{c} is not distinct from t.{c}" for c in wanted.columns)
    own = " and ".join(f"t.{c} is not distinct from %s::text" for c in of)
    fixed = list(of.values())
    closed = connection.execute(
        f"update {name} t set publish_to = %s where {own} and t.publish_to is null "
        f"and not exists (select from _wanted w where {same}) returning {told.sql}",
        [publish, *fixed],
    ).fetchall()
    values = ", ".join(["%s::text"] * len(of))
    opened = connection.execute(
        f"insert into {name} as t ({', '.join(of)}, {listed}, publish_from) select {values}, {listed}, %s "
        f"from _wanted w where not exists (select from {name} t where {own} and t.publish_to is null and {same}) "
        f"returning {told.sql}",
        [*fixed, publish, *fixed],
    ).fetchall()
    connection.execute("drop table _wanted")
    rows = [*closed, *opened]
    # their senders get another answer
    connection.execute(
        "update intake.submission set announced_state = null where assessment_no = any (%s)",
        [sorted({r[2] for r in rows if r[2] is not None})],
    )
    return {int(n) for r in rows for n in r[:2] if n is not None}, len(rows)
