"""Totals that the sender states, against the rows that they cover: a difference is said, never used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from schemas.contract import Contract
from schemas.grid import Control, Kind, Problem, SheetLayout
from schemas.semantic import Context, clean

from .observe import stated_units

_KEYS = {"_sub": pl.Int64, "_sheet": pl.Int16}


def differing_totals(
    contract: Contract,
    controls: Sequence[tuple[int, Control]],
    observations: pl.DataFrame,
    layouts: Mapping[int, Sequence[SheetLayout]],
) -> dict[int, list[Problem]]:
    """Warnings TOTAL_DIFFERS by submission number: address, stated and computed sum. A total that is no number is skipped;
    a row whose cell could not be read counts as nothing, so that the difference points at it."""
    found: dict[int, list[Problem]] = defaultdict(list)
    for column in sorted({c.column for _, c in controls}):
        if contract.column(column).logical_type not in ("integer", "number"):
            continue
        rows = [(n, c.sheet, c.row, c.text, c.first_row, c.last_row) for n, c in controls if c.column == column]
        stated = pl.DataFrame(
            rows,
            schema={**_KEYS, "row": pl.Int32, "text": pl.String, "first": pl.Int32, "last": pl.Int32},
            orient="row",
        )
        sums = (
            observations.select("_sub", "_sheet", "_row", value=pl.col(column).cast(pl.Float64).fill_null(0))
            .sort("_sub", "_sheet", "_row")
            .with_columns(running=pl.col("value").cum_sum().over("_sub", "_sheet"))
        )
        upto = _running(stated, sums, pl.col("last"), "upto")
        before = _running(upto, sums, pl.col("first") - 1, "before")
        units = stated_units(before, [(n, layout) for n, many in layouts.items() for layout in many], column)
        values = _numbers(contract, column, before["text"], units)
        compared = before.with_columns(stated=values.cast(pl.Float64), computed=pl.col("upto") - pl.col("before"))
        off = compared.filter(pl.col("stated").is_not_null(), (pl.col("stated") - pl.col("computed")).abs() > 1e-6)
        for n, sheet, row, shown, computed in off.select("_sub", "_sheet", "row", "text", "computed").iter_rows():
            letter = next((lay.columns.get(column, "") for lay in layouts[n] if lay.sheet == sheet), "")
            total = int(computed) if computed == int(computed) else computed
            found[n].append(Problem("TOTAL_DIFFERS", {"address": f"{letter}{row}", "stated": shown, "computed": total}))
    return dict(found)


def _running(stated: pl.DataFrame, sums: pl.DataFrame, at: pl.Expr, name: str) -> pl.DataFrame:
    keyed = stated.with_columns(_at=at.cast(pl.Int32)).sort("_at")
    right = sums.select("_sub", "_sheet", pl.col("_row").alias("_at"), pl.col("running").alias(name)).sort("_at")
    joined = keyed.join_asof(right, on="_at", by=["_sub", "_sheet"], strategy="backward", check_sortedness=False)
    return joined.with_columns(pl.col(name).fill_null(0)).drop("_at")


def _numbers(contract: Contract, column: str, texts: pl.Series, units: pl.Series | None) -> pl.Series:
    kinds = pl.Series([int(Kind.TEXT)] * texts.len(), dtype=pl.UInt8)
    nothing = pl.Series([None] * texts.len(), dtype=pl.Date)
    context = Context(nothing, nothing, nothing.cast(pl.String), resolve_unit=None, today=None, unit=units)
    return clean(contract.column(column), texts, kinds, context).value
