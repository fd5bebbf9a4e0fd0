"""Every shape says what the lines say, at the places that it states."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from io import BytesIO

import pytest
from openpyxl import load_workbook

from pipelines.sample.layouts import SHAPES, WORKBOOKS, Line, Report
from pipelines.sample.workbook import Formula

from . import reading

LINES = [
    Line("22651", "Cộng Hòa", "THON", 312, 1234),
    Line("22651", "K'Rông Jú", "THON", 98, 402),
    Line("22651", "Đồng Cát; Rọc Muống", "THON", 205, 870),
    Line("22651", "Phú Hữu, khu giãn dân", "THON", 77, 305),
    Line("22651", "Tổ dân phố 12", "TDP", 1045, 4102),
]


def report(*lines: Line, odd_total: int = 0) -> Report:
    sent = datetime(2026, 7, 2, 8, 0, 0)
    return Report("Xã Diên Khánh", lines or LINES, date(2026, 6, 30), sent, odd_total=odd_total)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_line_stands_where_the_shape_says_it_stands(shape: str) -> None:
    written = SHAPES[shape](report())
    grids = reading.grids(written.data)
    for line, (sheet, row) in zip(LINES, written.places, strict=True):
        name, _, households, population = reading.columns(grids[sheet])
        cells = grids[sheet][row - 1]
        assert cells[name] == line.name
        assert reading.number(cells[households]) == line.households
        assert reading.number(cells[population]) == line.population


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_says_nothing_more_than_its_lines(shape: str) -> None:
    found = reading.villages(SHAPES[shape](report()).data)
    assert found == {line.name: (line.kind, line.households, line.population) for line in LINES}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_bytes_are_the_same_every_time(shape: str) -> None:
    assert SHAPES[shape](report()).data == SHAPES[shape](report()).data


def test_the_nfd_shape_is_decomposed_throughout() -> None:
    page = load_workbook(BytesIO(SHAPES["nfd"](report()).data)).active
    texts = [v for row in page.iter_rows(values_only=True) for v in row if isinstance(v, str)]
    assert all(unicodedata.is_normalized("NFD", text) for text in texts)
    assert not all(unicodedata.is_normalized("NFC", text) for text in texts)
    assert any("\u00a0" in text for text in texts[:6]), "headers hold no-break spaces"


def test_totals_are_formulas_with_their_results() -> None:
    data = SHAPES["formulas"](report()).data
    last = len(LINES) + 2
    assert load_workbook(BytesIO(data)).active.cell(last, 4).value == f"=SUM(D2:D{last - 1})"
    assert load_workbook(BytesIO(data), data_only=True).active.cell(last, 4).value == 312 + 98 + 205 + 77 + 1045


def test_the_form_has_sub_totals_and_a_grand_total_that_can_be_off() -> None:
    rows = next(iter(reading.grids(SHAPES["form"](report(odd_total=10)).data).values()))
    totals = [(row[1], row[3]) for row in rows if row[1] in ("Cộng", "Tổng cộng")]
    assert totals == [("Cộng", 692), ("Cộng", 1045), ("Tổng cộng", 1747)]


@pytest.mark.parametrize("shape", sorted(WORKBOOKS))
def test_an_error_and_a_formula_without_result_are_kept_apart(shape: str) -> None:
    lines = [
        Line("22651", "A Thia", "THON", 10, "#REF!"),
        Line("22651", "Ma Nai", "THON", 11, Formula("=300+12", None)),
    ]
    written = SHAPES[shape](report(*lines))
    stored, formulas = (load_workbook(BytesIO(written.data), data_only=only) for only in (True, False))
    (sheet, error_row), (other, formula_row) = written.places
    error = [c for c in stored[sheet][error_row] if c.data_type == "e"]
    assert [c.value for c in error] == ["#REF!"]
    formula = [c for c in formulas[other][formula_row] if c.value == "=300+12"]
    assert len(formula) == 1
    assert stored[other][formula[0].coordinate].value is None


def test_the_old_state_is_on_a_hidden_sheet_only() -> None:
    book = load_workbook(BytesIO(SHAPES["halves"](report()).data))
    assert [page.sheet_state for page in book] == ["visible", "visible", "hidden"]
