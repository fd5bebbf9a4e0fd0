"""Ragged row labels: filled down, totals told from data, and no label believed that its total contradicts."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.labels import Labelled, LabelState, fill_labels
from schemas.grid import KIND, Kind

ROWS = [
    ("Tổng số", "", "", "21"),
    (" Tỉnh A (Tổng số)", "", "", "15"),
    (" Tỉnh A", "Huyện B (Tổng số)", "", "3"),
    ("", "Huyện B", " Xã 1", "1"),
    ("", "", " Xã 2", "2"),
    ("", "Huyện C (Tổng số)", "", "7"),
    ("", "Huyện C", " Xã 3", "3"),
    ("", "", " Xã 4", "4"),
    ("", "Huyện Đảo", " Huyện Đảo", "5"),
    (" Tỉnh D (Tổng số)", "", "", "6"),
    (" Tỉnh D", "Huyện E (Tổng số)", "", "6"),
    ("", "Huyện E", " Xã 1", "6"),
]
FILLED = [
    ("Tỉnh A", "Huyện B", "1"), ("Tỉnh A", "Huyện B", "2"), ("Tỉnh A", "Huyện C", "3"), ("Tỉnh A", "Huyện C", "4"),
    ("Tỉnh A", "Huyện Đảo", "5"), ("Tỉnh D", "Huyện E", "6"),
]  # fmt: skip


def body(rows: Sequence[tuple[str, ...]], first: int = 5) -> pl.DataFrame:
    columns: list[pl.Series] = [pl.Series("_row", range(first, first + len(rows)), dtype=pl.Int32)]
    for letter, cells in zip("ABCD", zip(*rows, strict=True), strict=True):
        columns.append(pl.Series(letter, cells, dtype=pl.String))
        columns.append(pl.Series(letter + KIND, [int(Kind.TEXT) if c else 0 for c in cells], dtype=pl.UInt8))
    return pl.DataFrame(columns)


def filled(rows: Sequence[tuple[str, ...]], state: LabelState | None = None, first: int = 5) -> Labelled:
    return fill_labels(body(rows, first), "ABC", {"D": "total"}, 0, state or LabelState())


def believed(got: Labelled) -> list[tuple[str, str, str]]:
    """The rows with a unit whose labels are believed; a row without a unit names nobody (MISSING)."""
    sure = got.body.filter(pl.all_horizontal(pl.col(x + KIND) != Kind.DOUBTFUL_LABEL for x in "ABC"))
    return sure.filter(pl.col("C") != "").select("A", "B", "D").rows()


def test_labels_are_filled_and_totals_set_aside() -> None:
    got = filled(ROWS)
    assert believed(got) == FILLED
    assert got.body["C"].to_list() == [" Xã 1", " Xã 2", " Xã 3", " Xã 4", " Huyện Đảo", " Xã 1"]
    assert [row for row, _ in got.totals] == [5, 6, 7, 10, 14, 15]
    assert got.totals[2] == (7, "Tỉnh A | Huyện B (Tổng số) | 3")


def test_totals_are_controls_over_what_they_cover() -> None:
    got = filled(ROWS)
    assert [(c.row, c.text, c.first_row, c.last_row) for c in got.controls] == [
        (5, "21", 8, 16),
        (6, "15", 8, 13), (14, "6", 16, 16),
        # the island district has no total of its own and belongs to none
        (7, "3", 8, 9), (10, "7", 11, 12), (15, "6", 16, 16),
    ]  # fmt: skip


@given(
    st.integers(0, len(ROWS) - 1), st.sampled_from("AB"), st.sampled_from(["", "Huyện Khác", "x", "Tỉnh A (Tổng số)"])
)
def test_damage_to_a_label_moves_nobody(at: int, column: str, text: str) -> None:
    rows = [list(row) for row in ROWS]
    rows[at]["AB".index(column)] = text
    got = filled([tuple(row) for row in rows])
    # whoever is still believed is believed under the right names; the others are there, in doubt
    assert set(believed(got)) <= set(FILLED)
    assert {r[0] for r in got.body.select("D").rows()} | {r[1].rsplit(" | ", 1)[-1] for r in got.totals} == {
        r[3] for r in ROWS
    }


@pytest.mark.parametrize("cut", range(1, len(ROWS)))
def test_batches_are_read_like_the_whole(cut: int) -> None:
    state = LabelState()
    first, second = filled(ROWS[:cut], state), filled(ROWS[cut:], state, 5 + cut)
    assert believed(first) + believed(second) == FILLED


def test_without_totals_labels_are_taken_as_they_stand() -> None:
    got = filled([("Tỉnh A", "Huyện B", "Xã 1", "1"), ("", "", "Xã 2", "2"), ("Tỉnh D", "", "Xã 3", "3")])
    assert got.body.select("A", "B").rows() == [("Tỉnh A", "Huyện B"), ("Tỉnh A", "Huyện B"), ("Tỉnh D", "")]
    assert (got.totals, got.controls) == ([], [])


def test_nothing_to_fill() -> None:
    assert filled(ROWS[:0] or [("", "", "", "")]).body.height == 1
    empty = fill_labels(body(ROWS).clear(), "ABC", {"D": "total"}, 0, LabelState())
    assert (empty.body.height, empty.totals) == (0, [])


def test_a_label_in_no_certain_encoding_stays_so_wherever_it_is_filled() -> None:
    undecoded = pl.lit(int(Kind.UNDECODED), pl.UInt8)
    state = LabelState()
    rows = body([("Tỉnh A", "Huyện B", " Xã 1", "1"), ("", "HuyÖn C", " Xã 2", "2")])
    rows = rows.with_columns(pl.when(pl.col("B") == "HuyÖn C").then(undecoded).otherwise("B" + KIND).alias("B" + KIND))
    first = fill_labels(rows, "ABC", {"D": "total"}, 0, state)
    later = fill_labels(body([("", "", " Xã 3", "3")], 7), "ABC", {"D": "total"}, 0, state)
    assert first.body["B" + KIND].to_list() == [Kind.TEXT, Kind.UNDECODED]
    assert later.body.select("B", "B" + KIND).rows() == [("HuyÖn C", Kind.UNDECODED)]
