"""Releases of the open-data set together: what a reader of all of them can find out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets.marts.exports.small_cells import BELOW, Sums
from assets.marts.exports.together import NOTHING, Outcome, Past, hide_after

from .attacker import possible

Row = dict[str, list[int]]


@dataclass
class Reader:
    """Somebody who keeps all releases, and knows of each cell whether it has changed."""

    numbers: dict[tuple[str, int, int], int] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    sums: list[dict[int, int]] = field(default_factory=list)

    def reads(self, table: Row, gone: Any) -> dict[tuple[str, int], int]:
        """A release: a column's cells add up to what he knows, and so do those of a row."""
        place = {}
        for at, (row, column, value) in enumerate(_cells(table)):
            number = self.numbers.setdefault((row, column, value), len(self.values))
            if number == len(self.values):
                self.values.append(value)
            place[row, column] = number
            if not gone[at]:
                self.known.add(number)
        self.sums += [{place[c]: 1 for c in one} for one in _lines(table)]
        return place

    def unknown(self) -> set[int]:
        return {n for s in self.sums for n in s} - self.known

    def finds(self, unknown: set[int], cells: set[int]) -> dict[int, int]:
        return {n: possible(self.sums, self.values, unknown, n) for n in cells}


def _cells(table: Row) -> list[tuple[str, int, int]]:
    return [(row, column, value) for row, values in table.items() for column, value in enumerate(values)]


def _lines(table: Row) -> list[list[tuple[str, int]]]:
    width = len(next(iter(table.values())))
    lines = [[(row, c) for row in table] for c in range(width)] + [[(row, c) for c in range(width)] for row in table]
    return [one for one in lines if len(one) > 1]


def release(past: Past, table: Row) -> Outcome:
    cells = _cells(table)
    place = {(row, column): n for n, (row, column, _) in enumerate(cells)}
    sums = Sums()
    for one in _lines(table):
        sums.add(np.zeros(len(one), np.int64), np.array([place[c] for c in one]), np.ones(len(one), np.int64))
    named = pl.DataFrame({"row": [c[0] for c in cells], "name": [str(c[1]) for c in cells]})
    return hide_after(past, named, np.array([c[2] for c in cells], float), sums)


counts = st.one_of(st.integers(0, 5), st.integers(0, 20))


@st.composite
def stories(draw: st.DrawFn) -> list[Row]:
    """Two releases, of which the second changes a few cells or leaves a row out, and perhaps the first once more."""
    width, height = draw(st.integers(1, 3)), draw(st.integers(2, 4))
    first = {f"r{n}": draw(st.lists(counts, min_size=width, max_size=width)) for n in range(height)}
    second = {row: list(values) for row, values in first.items()}
    for _ in range(draw(st.integers(0, 3))):
        second[f"r{draw(st.integers(0, height - 1))}"][draw(st.integers(0, width - 1))] = draw(counts)
    if draw(st.booleans()):
        del second[f"r{draw(st.integers(0, height - 1))}"]
    return [first, second] + ([first] if draw(st.booleans()) else [])


@settings(max_examples=20)
@given(stories())
@example([{"a": [3], "b": [10], "c": [40]}, {"a": [9], "b": [10], "c": [40]}])
@example([{"a": [3], "b": [10], "c": [40]}, {"b": [10], "c": [40]}])
def test_nobody_who_keeps_all_releases_finds_a_cell_that_could_be_hidden(story: list[Row]) -> None:
    reader, past = Reader(), NOTHING
    found: dict[int, int] = {}
    for table in story:
        free = set(range(len(reader.values))) - reader.known
        outcome = release(past, table)
        before = len(reader.values)
        known = set(reader.known)
        place = reader.reads(table, outcome.gone)
        past = past.with_(outcome.added)
        now = reader.finds(reader.unknown(), reader.unknown())
        # what was hidden and has not changed is hidden
        for at, (row, column, value) in enumerate(_cells(table)):
            assert outcome.gone[at] or place[row, column] not in free
            assert outcome.gone[at] or not 1 <= value < BELOW
        few = {cell for cell, n in now.items() if n < BELOW}
        assert reader.finds((reader.unknown() | reader.known) - known, few) == {c: now[c] for c in few}
        # whoever could find more than before is told of, and nothing else
        worse = [cell for cell in found if now[cell] < found[cell]]
        told = {cell for cell in now if cell >= before and now[cell] < BELOW}
        bare = {
            place[row, column] for at, (row, column, value) in enumerate(_cells(table)) if 1 <= value < BELOW
        } & known
        assert len(worse) + len(bare) <= outcome.exposed <= len(worse) + len(bare) + len(told)
        found = {**now, **found}


def test_the_same_again_adds_nothing() -> None:
    table = {"a": [3, 50], "b": [10, 60], "c": [40, 70]}
    first = release(NOTHING, table)
    assert first.exposed == 0 and not first.before.any()
    second = release(NOTHING.with_(first.added), table)
    assert (second.gone == first.gone).all() and (second.before == first.gone).all()
    assert second.added.cells.height == second.added.sums.height == second.exposed == 0


def test_a_cell_that_changed_stays_hidden_where_it_would_tell_what_it_was_hidden_with() -> None:
    first = release(NOTHING, {"a": [3], "b": [10], "c": [40], "d": [70]})
    assert first.gone.tolist() == [True, True, False, False]
    # 9 is no small count; but by the total it would tell 10, and that the 3
    second = release(NOTHING.with_(first.added), {"a": [9], "b": [10], "c": [40], "d": [70]})
    assert second.gone.tolist() == [True, True, False, False] and second.exposed == 0
    # a changed c is a new cell, which may be hidden: so 9 may be shown only if it is
    third = release(NOTHING.with_(first.added), {"a": [9], "b": [10], "c": [41], "d": [70]})
    assert third.gone[:2].tolist() == [True, True] and third.exposed == 0


def test_what_was_shown_cannot_be_hidden_any_more_and_is_told() -> None:
    first = release(NOTHING, {"a": [3], "b": [10], "c": [40]})
    # a is left out: of b and c, whose sum is known, c is known
    second = release(NOTHING.with_(first.added), {"b": [10], "c": [40]})
    assert second.gone.tolist() == [True, False] and second.exposed == 2
