"""The work list of differences between a sender's crosswalk and that of reference.

Here: the comparison itself, over frames (:func:`compare_changes`) and over the warehouse (:data:`DIFFERENCES_SQL`). Not
here: who clears the list, and which side is right; docs/reference.md says what is known of that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row

from assets.reference.units import Reference

DIFFERENCES_SQL = (Path(__file__).parent / "crosswalk_differences.sql").read_text(encoding="utf-8")
"""Query over ``mart_v1.unit_changes`` and ``core.unit_change``: the columns and rows of :func:`compare_changes`."""


def compare_changes(ours: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Where ``ours`` (old_code, new_code, kind TOAN_BO or MOT_PHAN) and the crosswalk of reference disagree.

    One row per pair of codes: old_code, old_name, new_code, new_name, province_code (of the new unit), difference
    (only_in_file, only_in_reference, kind_differs), kind_in_file, kind_in_reference; names are those of reference, null
    for a code that is unknown there. Sorted by province and codes.
    """
    communes = reference.units.filter(pl.col("level") == "commune")
    old = communes.filter(pl.col("valid_to").is_not_null()).select(old_code="code", old_unit="name")
    new = communes.filter(pl.col("valid_to").is_null()).select("province_code", new_code="code", new_unit="name")
    pair = ["old_code", "new_code"]
    both = (
        ours.select(*pair, kind_in_file="kind")
        .join(reference.changes.rename({"kind": "kind_in_reference"}), on=pair, how="full", coalesce=True)
        .filter(pl.col("kind_in_file").ne_missing(pl.col("kind_in_reference")))
        .join(old, on="old_code", how="left")
        .join(new, on="new_code", how="left")
    )
    difference = (
        pl.when(pl.col("kind_in_reference").is_null())
        .then(pl.lit("only_in_file"))
        .when(pl.col("kind_in_file").is_null())
        .then(pl.lit("only_in_reference"))
        .otherwise(pl.lit("kind_differs"))
    )
    return both.select(
        "old_code",
        pl.coalesce("old_name", "old_unit").alias("old_name"),
        "new_code",
        pl.coalesce("new_name", "new_unit").alias("new_name"),
        "province_code",
        difference.alias("difference"),
        "kind_in_file",
        "kind_in_reference",
    ).sort("province_code", *pair)


def published_differences(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """The work list on the published ``unit_changes``, with the columns of :func:`compare_changes`; empty where nothing of
    it is published, since nothing was compared then."""
    there = connection.execute("select to_regclass('mart_v1.unit_changes') is not null").fetchone()
    if there is None or not there[0]:
        return []
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(DIFFERENCES_SQL.encode()).fetchall()
