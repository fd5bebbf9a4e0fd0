"""Small counts of people: no hidden cell can be computed from what is published, by exact arithmetic on any table."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from assets.marts.exports.open_data import HIDDEN, without_small_counts
from assets.marts.exports.small_cells import BELOW, Sums, hide
from assets.marts.opened import open_datasets, people_columns
from schemas.contract import builtin_folder, load_contracts

CONTRACTS = load_contracts([builtin_folder()])
Table = list[list[int]]
tables = st.integers(1, 7).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.integers(0, 12), st.integers(0, 400)), min_size=width, max_size=width),
        min_size=1,
        max_size=9,
    )
)


def determined(equations: list[dict[int, int]], unknown: set[int]) -> set[int]:
    """Unknowns that the equations tell, by elimination over fractions: written apart from what is tested."""
    order = sorted(unknown)
    rows = [[Fraction(e.get(u, 0)) for u in order] for e in equations]
    pivots: dict[int, int] = {}
    at = 0
    for column in range(len(order)):
        found = next((r for r in range(at, len(rows)) if rows[r][column]), None)
        if found is None:
            continue
        rows[at], rows[found] = rows[found], rows[at]
        rows[at] = [x / rows[at][column] for x in rows[at]]
        for r in range(len(rows)):
            if r != at and rows[r][column]:
                rows[r] = [a - rows[r][column] * b for a, b in zip(rows[r], rows[at], strict=True)]
        pivots[column] = at
        at += 1
    return {order[c] for c, r in pivots.items() if not any(x for n, x in enumerate(rows[r]) if n != c)}


def _with_totals(table: Table) -> tuple[Any, list[dict[int, int]]]:
    """A table with its totals as cells, and its sums: cell -> 1 for a part, -1 for the total."""
    body = np.array(table, float)
    rows, columns = body.shape
    whole = np.zeros((rows + 1, columns + 1))
    whole[:rows, :columns] = body
    whole[rows, :columns], whole[:rows, columns], whole[rows, columns] = body.sum(0), body.sum(1), body.sum()
    cell = np.arange(whole.size).reshape(whole.shape)
    lines = [*cell, *cell.T]
    return whole.ravel(), [{int(c): (-1 if n == len(one) - 1 else 1) for n, c in enumerate(one)} for one in lines]


def _sums(equations: list[dict[int, int]]) -> Sums:
    sums = Sums()
    entries = [(n, c, s) for n, e in enumerate(equations) for c, s in e.items()]
    line, cell, sign = (np.array(x, np.int64) for x in zip(*entries, strict=True))
    sums.add(line, cell, sign)
    return sums


@given(tables)
# two blocks of hidden cells that hang together by one: rows of the first less columns of the first are that one
@example([[1, 9, 0, 0], [9, 1, 3, 90], [90, 90, 1, 9], [90, 90, 9, 1]])
@example([[1, 1], [100, 100]])
@example([[3]])
@example([[3, 0, 0], [50, 60, 70]])
def test_no_hidden_cell_follows_from_rows_and_columns(table: Table) -> None:
    values, equations = _with_totals(table)
    gone = hide(values, _sums(equations))
    assert gone[(values >= 1) & (values < BELOW)].all()
    known = [{c: s for c, s in e.items() if gone[c]} for e in equations]
    told = determined(known, set(np.flatnonzero(gone).tolist()))
    # a table of one cell, or of one row with its total, may leave nothing else to hide
    assert not told or all(len(k) == len(e) for k, e in zip(known, equations, strict=True) if told & set(k)), told
    if len(table) > 1 and len(table[0]) > 1:
        assert not told
    for e in equations:
        parts = [values[c] for c, s in e.items() if gone[c] and s > 0]
        total_gone = any(gone[c] and s < 0 for c, s in e.items())
        left = [c for c, s in e.items() if not gone[c] and values[c] > 0]
        if parts and not total_gone and left:
            assert len(parts) > 1 and sum(parts) - sum(p > 0 for p in parts) >= BELOW - 1, (parts, left)


@given(tables)
def test_nothing_is_hidden_without_need_and_the_same_again(table: Table) -> None:
    values, equations = _with_totals(table)
    gone = hide(values, _sums(equations))
    assert (gone == hide(values, _sums(equations))).all()
    if not ((values >= 1) & (values < BELOW)).any():
        assert not gone.any()


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 400), st.integers(0, 8), st.sampled_from(["A", "B"])),
        min_size=2,
        max_size=8,
    )
)
def test_population_keeps_its_sums_to_itself(rows: list[tuple[int, int, int, str]]) -> None:
    frame = pl.DataFrame(
        {
            "population_id": range(len(rows)),
            "unit_key": [f"56/{n}" for n in range(len(rows))],
            "source": ["CTK"] * len(rows),
            "district_name": [r[3] for r in rows],
            "total": [r[0] + r[1] for r in rows],
            "urban": [r[0] for r in rows],
            "rural": [r[1] for r in rows],
            "households": [r[2] for r in rows],
            "valid_from": ["2026-01-01"] * len(rows),
        }
    )
    shown, hidden = without_small_counts(frame, CONTRACTS["population"])
    columns = ["total", "urban", "rural", "households"]
    assert hidden == sum(shown[c].null_count() for c in columns)
    place = {(c, n): k for k, (c, n) in enumerate((c, n) for c in columns for n in range(len(rows)))}
    gone = {place[c, n] for c in columns for n in range(len(rows)) if shown[c][n] is None}
    for c in columns:
        for n, value in enumerate(frame[c]):
            assert shown[c][n] in (None, value)
            assert not 1 <= value < BELOW or shown[c][n] is None
            assert (shown[c][n] is None) == (c in (shown[HIDDEN][n] or "").split())
    equations = [
        {place["total", n]: -1, place["urban", n]: 1, place["rural", n]: 1} for n in range(len(rows))
    ] + [
        {place[c, n]: 1 for n, r in enumerate(rows) if area in ("", r[3])} for c in columns for area in ("", "A", "B")
    ]  # fmt: skip
    known = [{c: s for c, s in e.items() if c in gone} for e in equations if len(e) > 1]
    told = determined(known, gone)
    # what is told stands in sums of which everything is hidden
    full = [set(e) for e in equations if len(e) > 1]
    assert all(e <= gone for e in full for one in told if one in e), told


def test_complements_within_a_whole_are_hidden() -> None:
    contract = CONTRACTS["digital_transformation"]
    columns = [c.name for c in people_columns(contract)]
    assert {"adults", "vneid_level2", "it_officials", "households"} <= set(columns)
    assert {"computers", "leased_line_mbps"}.isdisjoint(columns)
    rows = {c: [500, 600, 700] for c in columns} | {"vneid_level2": [498, 300, 400]}
    frame = pl.DataFrame({"commune_code": ["1", "2", "3"], **rows, "valid_from": ["2026-01-01"] * 3})
    shown, hidden = without_small_counts(frame, contract)
    # two adults without an account: neither they nor, by the column, another commune's can be had
    assert shown["vneid_level2"].to_list() == [None, None, 400] and hidden == 2
    assert shown["adults"].to_list() == [500, 600, 700]


def test_the_open_set_is_open() -> None:
    chosen = open_datasets(CONTRACTS)
    assert {"population", "service_statistics", "digital_transformation"} <= {c.dataset for c in chosen}
    for contract in chosen:
        assert contract.sharing_class == "MO" and {c.classification for c in contract.columns} == {"P0"}
        assert contract.entity_id != "person_id"
