"""Several tables in one sheet: below each other, each under a header of its own, or side by side with an empty column between.

Here: cutting a sheet into blocks of one table each, as grids with an index of their own, so that everything behind
(rows, addresses, traces) goes on seeing one table a sheet. Not here: where in a block the header is (:mod:`assets.intake.tables`).

A second header is believed only where at least two of its cells are headers of a contract and none of its cells stands for a
figure, so that no damage to one cell of a data row cuts a table in two (law 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from assets.intake.headers import ContractMatch, Vocabulary, match_headers
from assets.intake.rows import HeaderMatch
from assets.intake.workbook import column_number
from schemas.grid import KIND, Grid, Kind, Unreadable

_CANDIDATES = 400
"""Rows below a header that are looked at for another one: those with words where a figure should be."""
_MOST_BLOCKS = 50
_FIGURE = re.compile(r"\W*\d[\d.,\s]*%?\W*")

Find = Callable[[Grid], HeaderMatch]


def blocks(
    grid: Grid, find: Find, known: Vocabulary, free: Iterator[int]
) -> list[tuple[Grid, HeaderMatch | Unreadable]]:
    """The sheet cut into one grid a table, each with its header or why it has none; itself where it holds one or none.

    ``find`` finds the first header of a grid; ``free``: indices for blocks beyond the first, which keeps the sheet's own.
    """
    found: list[tuple[Grid, HeaderMatch | Unreadable]] = []
    for part in _beside(grid, known):
        head = _tried(find, part)
        while isinstance(head, HeaderMatch) and len(found) < _MOST_BLOCKS:
            cut = _below(part, head, known)
            rest = _rows(part, cut, None) if cut is not None else None
            following = _tried(find, rest) if rest is not None else None
            if cut is None or rest is None or not isinstance(following, HeaderMatch):
                break
            found.append((_rows(part, None, cut), head))
            part, head = rest, following
        found.append((part, head))
    return [found[0], *((replace(part, index=next(free)), head) for part, head in found[1:])]


def _tried(find: Find, grid: Grid) -> HeaderMatch | Unreadable:
    try:
        return find(grid)
    except Unreadable as unreadable:
        return unreadable


def _rows(grid: Grid, first: int | None, before: int | None) -> Grid:
    """The rows of a grid from ``first`` on, or before a row (numbers of the sheet)."""
    number = pl.col("_row")
    keep = (number >= first) if first is not None else (number < before)
    mask = grid.frame.select(keep).to_series()

    def inside(row: int) -> bool:
        return (first is None or row >= first) and (before is None or row < before)

    return replace(
        grid,
        frame=grid.frame.filter(mask),
        hidden_rows=tuple(r for r in grid.hidden_rows if inside(r)),
        merged=tuple(m for m in grid.merged if inside(m[0])),
        bold_rows=frozenset(r for r in grid.bold_rows if inside(r)),
        cells=grid.cells.filter(mask) if grid.cells is not None else None,
    )


def _below(grid: Grid, head: HeaderMatch, known: Vocabulary) -> int | None:
    """The row with which another table begins: the first of its titles; None where there is no other."""
    columns = head.match.columns
    measures = [
        columns[c.name]
        for c in head.match.contract.columns
        if c.logical_type in ("integer", "number") and c.name in columns
    ] or list(columns.values())
    letters = [c for c in grid.frame.columns if c != "_row" and not c.endswith(KIND)]
    # words in place of figures, or nothing there at all but words beside: what a row of data does not have
    body = grid.frame.slice(int((grid.frame["_row"] <= (head.numbering_row or head.last_row)).sum()))
    odd = _strange(body, measures, [x for x in letters if x not in columns.values()])
    if not odd.height:
        return None
    printed = {tuple(row.items()) for row in head.printed}
    for row, *cells in zip(*(odd[x].to_list() for x in ("_row", *letters)), strict=True):
        texts = {x: t.strip() for x, t in zip(letters, cells, strict=True) if t.strip()}
        if tuple(texts.items()) in printed or any(_FIGURE.fullmatch(t) for t in texts.values()):
            continue
        match = _table_header({x: (t,) for x, t in texts.items()}, known)
        if match is not None and (match.columns != columns or match.contract is not head.match.contract):
            return _with_titles(grid, letters, head.last_row, row)
    return None


def _strange(body: pl.DataFrame, measures: Sequence[str], elsewhere: Sequence[str]) -> pl.DataFrame:
    """The first rows with words among the figures, or without figures but with words beside. Kinds as arrays, and texts only
    of columns that hold some: on small sheets an expression costs more than the work."""
    strange = np.zeros(body.height, dtype=bool)
    empty = ~strange
    for x in measures:
        if x in body.columns:
            kind = body[x + KIND].to_numpy()
            empty &= kind == Kind.BLANK
            if (kind == Kind.TEXT).any():
                strange |= body[x].str.contains(r"\p{L}").to_numpy()
    if empty.any():
        for x in elsewhere:
            strange |= empty & (body[x + KIND].to_numpy() == Kind.TEXT)
    return body[np.flatnonzero(strange)[:_CANDIDATES]] if strange.any() else body.clear()


def _table_header(texts: dict[str, tuple[str, ...]], known: Vocabulary) -> ContractMatch | None:
    """The contract that a row of texts is a whole header of; a row of a header broken over two is found by its lower one."""
    ranked = match_headers(texts, known)
    if ranked and len(ranked[0].columns) >= 2 and ranked[0].meant and ranked[0].problem() is None:
        return ranked[0]
    return None


def _with_titles(grid: Grid, letters: Sequence[str], after: int, header: int) -> int:
    """The first row of the table with this header: its titles, lone texts right above it, go with it."""
    above = grid.frame.filter((pl.col("_row") > after) & (pl.col("_row") < header)).tail(6)
    filled = above.select(
        "_row", n=pl.sum_horizontal((pl.col(x + KIND) != Kind.BLANK).cast(pl.UInt32) for x in letters)
    ).rows()
    first = header
    for row, n in reversed(filled):
        if n == 1:
            first = row
        elif n > 1:
            break
    return first


def _beside(grid: Grid, known: Vocabulary) -> list[Grid]:
    """Tables side by side: groups of columns with nothing between them, of which two at least have a header of their own."""
    letters = [c for c in grid.frame.columns if c != "_row" and not c.endswith(KIND)]
    groups: list[list[str]] = []
    for letter in letters:
        if groups and column_number(letter) == column_number(groups[-1][-1]) + 1:
            groups[-1].append(letter)
        else:
            groups.append([letter])
    if len(groups) < 2:
        return [grid]
    headed = [any(_table_header(t, known) for t in _top_rows(grid, group)) for group in groups]
    if sum(headed) < 2:
        return [grid]
    joined: list[list[str]] = []
    for group, own in zip(groups, headed, strict=True):
        if own or not joined:
            joined.append(list(group))
        else:  # a column of remarks belongs to the table before it
            joined[-1] += group
    return [_columns(grid, group) for group in joined]


def _top_rows(grid: Grid, letters: Sequence[str]) -> Iterator[dict[str, tuple[str, ...]]]:
    top = grid.frame.head(40)
    for cells in zip(*(top[x].to_list() for x in letters), strict=True):
        yield {x: (t,) for x, t in zip(letters, cells, strict=True) if t.strip()}


def _columns(grid: Grid, letters: Sequence[str]) -> Grid:
    numbers = {column_number(x) for x in letters}
    frame = grid.frame.select("_row", *(x + suffix for x in letters for suffix in ("", KIND)))
    return replace(grid, frame=frame, merged=tuple(m for m in grid.merged if m[1] in numbers))
