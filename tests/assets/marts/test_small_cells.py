"""Small counts of people: no hidden cell can be computed from what is published, by exact arithmetic on any table."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linprog  # type: ignore[import-untyped]

from assets.marts.exports.open_data import HIDDEN, without_small_counts
from assets.marts.exports.small_cells import BELOW, Sums, hide
from assets.marts.opened import open_datasets, people_columns
from schemas.contract import builtin_folder, load_contracts

from .attacker import possible

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
    gone = hide(values, _sums(equations)).gone
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
    gone = hide(values, _sums(equations)).gone
    assert (gone == hide(values, _sums(equations)).gone).all()
    if not ((values >= 1) & (values < BELOW)).any():
        assert not gone.any()


small_tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.integers(0, 5), st.integers(0, 30)), min_size=width, max_size=width),
        min_size=1,
        max_size=3,
    )
)


@given(small_tables, st.booleans())
@example([[8, 20, 19], [1, 0, 5], [22, 1, 14]], True)
@example([[0, 11, 1], [2, 22, 18], [0, 3, 2]], True)
@example([[1, 0, 1]], False)
def test_whoever_tries_all_values_finds_five_of_each_hidden_cell(table: Table, with_totals: bool) -> None:
    values, equations = _with_totals(table)
    if not with_totals:  # a reader is taken to know them
        body = np.arange(values.size).reshape(len(table) + 1, -1)[:-1, :-1]
        new = {int(c): n for n, c in enumerate(body.ravel())}
        equations = [{new[c]: s for c, s in e.items() if c in new} for e in equations]
        values, equations = values[body.ravel()], [e for e in equations if len(e) > 1]
        if not equations:
            return
    found = hide(values, _sums(equations))
    gone = set(np.flatnonzero(found.gone).tolist())
    summed = {c for e in equations for c in e}
    for cell in gone & summed:
        left = possible(equations, values, gone, cell)
        assert left == found.possible[cell]
        assert left >= BELOW or left == possible(equations, values, summed, cell), (cell, left)


def test_a_ring_of_hidden_cells_that_only_counts_below_zero_give_away() -> None:
    # each row and each column hides two; but one can go up only as another goes down, and two of them are 1: of the ring of six
    # (8, 20, 1, 14, 5, 1) each may be what it is, one more or one less, and no more
    table = [[8, 20, 19], [1, 0, 5], [22, 1, 14]]
    values, equations = _with_totals(table)
    ring = {0, 1, 9, 10, 6, 4}
    assert [possible(equations, values, ring, c) for c in sorted(ring)] == [3] * 6
    # with 22 hidden too the ones are a count of 0 to 21
    gone = hide(values, _sums(equations)).gone.reshape(4, 4)
    assert gone.tolist() == [
        [True, True, False, False],
        [True, False, True, False],
        [True, True, True, False],
        [False, False, False, False],
    ]


def test_a_large_table_of_small_counts_is_hidden_well() -> None:
    table = np.random.default_rng(1).poisson(0.3, (50, 100))
    values, equations = _with_totals(table.tolist())
    found = hide(values, _sums(equations))
    assert found.small.sum() > 1000 and (found.possible[found.gone] == BELOW).all()
    assert found.gone.sum() < 1.2 * found.small.sum()


def test_what_a_whole_leaves_counts_though_it_is_not_small() -> None:
    # two rows of whole = part + rest, of which the rest is not published, and the column of parts: 3 is small, so is the rest of 1
    values = np.array([9.0, 3.0, 6.0, 8.0, 7.0, 1.0])  # whole, part, rest; whole, part, rest
    sums = [{0: -1, 1: 1, 2: 1}, {3: -1, 4: 1, 5: 1}, {1: 1, 4: 1}]
    outside = np.array([False, False, True, False, False, True])
    slack = np.array([False, False, True, False, False, False])
    gone = hide(values, _sums(sums), shown=~outside, slack=slack).gone
    assert gone.tolist() == [False, True, False, False, True, False]
    unknown = {1, 2, 4, 5}
    assert [possible(sums, values, unknown, c) for c in (1, 4, 5)] == [5, 5, 5]


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
    shown, found = without_small_counts(frame, CONTRACTS["population"])
    columns = ["total", "urban", "rural", "households"]
    assert found.gone.sum() == sum(shown[c].null_count() for c in columns)
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
    # what is told would be told too if everything were hidden
    matrix = np.array([[e.get(c, 0) for c in place.values()] for e in equations if len(e) > 1], float)
    adds_up = matrix @ np.array([v for c in columns for v in frame[c]])
    for one in told:
        goal = np.eye(len(place))[one]
        ends = [linprog(way * goal, A_eq=matrix, b_eq=adds_up).x[one] for way in (1, -1)]
        assert ends[1] - ends[0] < 0.5, told


def test_complements_within_a_whole_are_hidden() -> None:
    contract = CONTRACTS["digital_transformation"]
    columns = [c.name for c in people_columns(contract)]
    assert {"adults", "vneid_level2", "it_officials", "households"} <= set(columns)
    assert {"computers", "leased_line_mbps"}.isdisjoint(columns)
    rows = {c: [500, 600, 700] for c in columns} | {"vneid_level2": [498, 300, 400]}
    frame = pl.DataFrame({"commune_code": ["1", "2", "3"], **rows, "valid_from": ["2026-01-01"] * 3})
    shown, found = without_small_counts(frame, contract)
    # two adults without an account: neither they nor, by the column, another commune's can be had
    assert shown["vneid_level2"].to_list() == [None, None, 400] and found.gone.sum() == 2
    assert shown["adults"].to_list() == [500, 600, 700]


def test_the_open_set_is_open() -> None:
    chosen = open_datasets(CONTRACTS)
    assert {"population", "service_statistics", "digital_transformation"} <= {c.dataset for c in chosen}
    for contract in chosen:
        assert contract.sharing_class == "MO" and {c.classification for c in contract.columns} == {"P0"}
        assert contract.entity_id != "person_id"
