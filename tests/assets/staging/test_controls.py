"""Stated totals against the rows that they cover."""

from __future__ import annotations

import polars as pl
import pytest

from assets.staging.controls import differing_totals
from schemas.contract import Column, Contract
from schemas.grid import Control, SheetLayout

CONTRACT = Contract(
    "things", "1.0.0", "", "",
    (
        Column("k", "Khóa", "string", "name", required=True, key_position=1),
        Column("n", "Số hộ", "integer", "integer", unit="hộ"),
        Column("d", "Diện tích", "number", "decimal"),
    ),
    (), "snapshot", "asOf", "all", "quarter",
)  # fmt: skip


def layout(sheet: int = 0) -> SheetLayout:
    return SheetLayout(
        sheet=sheet, name="", hidden=False, header_rows=(1, 1), columns={"k": "A", "n": "B", "d": "C"}, headers={},
        unmatched={}, rows_below_header=0,
    )  # fmt: skip


ROWS = pl.DataFrame(
    {
        "_sub": [0, 0, 0, 0, 1],
        "_sheet": [0, 0, 0, 1, 0],
        "_row": [2, 3, 5, 2, 2],
        "n": [10, None, 30, 100, 7],
        "d": [0.1, 0.2, 0.3, 9.0, 1.0],
    },
    schema={"_sub": pl.Int64, "_sheet": pl.Int16, "_row": pl.Int32, "n": pl.Int64, "d": pl.Float64},
)


def said(*controls: tuple[int, Control]) -> list[tuple[int, str, str, float]]:
    found = differing_totals(CONTRACT, controls, ROWS, {0: [layout(0), layout(1)], 1: [layout()]})
    return [
        (n, p.params["address"], p.params["stated"], p.params["computed"])
        for n, problems in found.items()
        for p in problems
    ]


@pytest.mark.parametrize(
    "control",
    [
        Control(0, 6, "n", "40", 2, 5),
        Control(0, 6, "n", "40 hộ", 2, 5),
        Control(0, 4, "n", "10", 2, 3),
        Control(0, 6, "n", "30", 5, 5),
        Control(1, 3, "n", "100", 2, 2),
        Control(0, 6, "d", "0,6", 2, 5),  # a sum of doubles is only nearly so
        Control(0, 6, "n", "không rõ", 2, 5),  # no number: nothing to compare
        Control(0, 6, "n", "", 2, 5),
        Control(0, 6, "k", "40", 2, 5),
    ],
)
def test_totals_that_fit_or_say_nothing(control: Control) -> None:
    assert said((0, control)) == []


def test_totals_that_differ_are_named_with_both_figures() -> None:
    found = said(
        (0, Control(0, 6, "n", "1.041", 2, 5)),
        (0, Control(0, 6, "d", "0,7", 2, 5)),
        (0, Control(1, 3, "n", "140", 2, 2)),
        (1, Control(0, 3, "n", "40", 2, 2)),
    )
    assert sorted((n, a, s, round(c, 6)) for n, a, s, c in found) == [
        (0, "B3", "140", 100),
        (0, "B6", "1.041", 40),
        (0, "C6", "0,7", 0.6),
        (1, "B3", "40", 7),
    ]
