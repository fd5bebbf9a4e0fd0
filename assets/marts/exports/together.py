"""Releases of the open-data set together: what earlier ones hid stays hidden, what they showed is known, and the sums of all of
them are asked at once what they say of a hidden cell.

A cell is one unknown as long as it has one value: a reader is taken to know which cells changed between two releases, which is more
than he does. So a value that changed is another cell, and whoever hides it hides it beside the old one. The order of releases plays
no part: one of an earlier publish after one of a later is a release like any other. Here: the rule, on frames. Not here: where it
is kept (:mod:`.releases`), what a table's cells and sums are (:mod:`.open_data`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .room import Flags, Indexes, Numbers
from .small_cells import BELOW, Sums, hide

CELLS = pl.Schema(
    {
        "number": pl.Int64, "row": pl.String, "name": pl.String, "value": pl.Float64, "hidden": pl.Boolean,
        "slack": pl.Boolean, "possible": pl.Int64,
    }
)  # fmt: skip
SUMS = pl.Schema({"terms": pl.List(pl.Int64)})


@dataclass(frozen=True)
class Past:
    """What releases told of one table.

    ``cells``: each value that a cell has had, numbered from 1: hidden, or known; ``slack``: never published, and may be small or
    not; ``possible``: how many values it might have had for a reader. ``sums``: numbers of hidden cells that add up to something
    known, negative where they are subtracted."""

    cells: pl.DataFrame
    sums: pl.DataFrame

    def with_(self, added: Past) -> Past:
        """This and what a release added."""
        return Past(pl.concat([self.cells, added.cells]), pl.concat([self.sums, added.sums]))


NOTHING = Past(pl.DataFrame(schema=CELLS), pl.DataFrame(schema=SUMS))


@dataclass(frozen=True)
class Outcome:
    """Which cells of a release to hide: ``gone``, of which some are ``small`` and some have been hidden ``before``. ``exposed``:
    hidden cells, of this release and of earlier ones, that the releases together tell, or leave fewer possible values than the one
    that hid them did; nothing can be done for them. ``added``: what to keep of it."""

    gone: Flags
    small: Flags
    before: Flags
    exposed: int
    added: Past


def hide_after(
    past: Past,
    named: pl.DataFrame,
    values: Numbers,
    sums: Sums,
    *,
    groups: Indexes | None = None,
    hidden: Flags | None = None,
    shown: Flags | None = None,
    slack: Flags | None = None,
) -> Outcome:
    """Which cells to hide in a release that comes after others.

    ``named``: ``row`` and ``name`` of each cell, the same in every release; the rest as :func:`.small_cells.hide` takes it."""
    size = len(values)
    hidden, shown, slack = (
        np.full(size, default) if flags is None else flags
        for flags, default in ((hidden, False), (shown, True), (slack, False))
    )
    groups = np.arange(size) if groups is None else groups
    cells = _matched(past, named, values)
    number = cells["number"].fill_null(0).to_numpy()
    before = cells["hidden"].fill_null(False).to_numpy()
    known = (number > 0) & ~before
    old = past.cells.filter(pl.col("hidden")).join(cells.drop_nulls("number"), on="number", how="anti")
    extra = old.height
    every = _with_old(sums, past, np.r_[number, old["number"].to_numpy()])
    found = hide(
        np.r_[values, old["value"].fill_null(np.nan).to_numpy()],
        every,
        groups=np.r_[groups, int(groups.max(initial=-1)) + 1 + np.arange(extra)],
        hidden=np.r_[hidden | before, np.ones(extra, bool)],
        shown=np.r_[shown, np.zeros(extra, bool)],
        known=np.r_[known, np.zeros(extra, bool)],
        slack=np.r_[slack, old["slack"].to_numpy()],
    )
    unknown, possible = found.unknown[:size], found.possible
    exposed = (known & found.small[:size]).sum()
    first = np.r_[cells["possible"].fill_null(BELOW).to_numpy(), old["possible"].to_numpy()]
    short = found.unknown & ~np.r_[slack, old["slack"].to_numpy()] & (possible < first)
    fresh = short[:size] & (number == 0)
    if fresh.any() and past.cells.height:  # would it have been so without the others?
        alone = hide(values, sums, groups=groups, hidden=hidden, shown=shown, slack=slack)
        short[:size] &= (number > 0) | ~alone.unknown | (possible[:size] < alone.possible)
    elif fresh.any():
        short[:size] &= ~fresh
    exposed += short.sum()
    added = _added(past, cells, number, unknown, possible[:size], shown, slack, sums)
    return Outcome(found.gone[:size], found.small[:size], before & shown, int(exposed), added)


def _matched(past: Past, named: pl.DataFrame, values: Numbers) -> pl.DataFrame:
    """Each cell with number, hidden and possible of the same value of it in earlier releases, null where there is none."""
    again = pl.int_range(pl.len()).over("row", "name")  # rows that their key does not tell apart
    cells = named.select(
        pl.when(again > 0).then(pl.format("{} {}", "row", again)).otherwise("row").alias("row"),
        "name",
        pl.Series("value", values).fill_nan(None),
    )
    known = past.cells.select("row", "name", "value", "number", "hidden", "possible")
    return cells.join(known, on=["row", "name", "value"], how="left", nulls_equal=True, maintain_order="left")


def _with_old(sums: Sums, past: Past, number: Indexes) -> Sums:
    """This release's sums and those of earlier ones, over the cells that have these numbers."""
    place = np.zeros(int(past.cells["number"].max() or 0) + 1, np.int64)  # type: ignore[arg-type]
    place[number] = np.arange(len(number))
    every = Sums(list(sums.line), list(sums.cell), list(sums.sign), list(sums.fewest), sums.count)
    entries = past.sums.with_row_index("line").explode("terms")
    terms = entries["terms"].to_numpy()
    if len(terms):
        every.add(entries["line"].to_numpy().astype(np.int64), place[np.abs(terms)], np.sign(terms), fewest=1)
    return every


def _added(
    past: Past,
    cells: pl.DataFrame,
    number: Indexes,
    unknown: Flags,
    possible: Indexes,
    shown: Flags,
    slack: Flags,
    sums: Sums,
) -> Past:
    """What this release tells that none did before."""
    counted = ~cells["value"].is_null().to_numpy() | unknown
    line, cell, sign = sums.entries(counted)
    kept = unknown[cell]
    line, cell, sign = line[kept], cell[kept], sign[kept]
    firm = np.zeros(sums.count, bool)
    firm[line[~slack[cell]]] = True
    line, cell, sign = (x[firm[line]] for x in (line, cell, sign))
    told = shown & counted
    told[cell] = True
    new = np.flatnonzero(told & (number == 0))
    number = number.copy()
    number[new] = int(past.cells["number"].max() or 0) + 1 + np.arange(len(new))  # type: ignore[arg-type]
    kinds: Any = {"number": number, "hidden": unknown, "slack": slack, "possible": np.where(unknown, possible, 1)}
    added = cells.select("row", "name", "value").with_columns(**{k: pl.Series(v) for k, v in kinds.items()})[new]
    said = pl.col("terms").cast(pl.List(pl.String)).list.join(" ").alias("said")
    made = (
        pl.DataFrame({"line": line, "terms": sign * number[cell], "number": number[cell]})
        .sort("line", "number")
        .group_by("line", maintain_order=True)
        .agg("terms")
        .select("terms", said)
        .unique("said", keep="first", maintain_order=True)
        .join(past.sums.select(said), on="said", how="anti", maintain_order="left")
    )
    return Past(added.select(CELLS.names()).cast(CELLS), made.select("terms").cast(SUMS))
