"""Workbooks with legacy fonts: each cell, and each run of a rich text, is decoded by the font that it is shown in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from assets.intake.workbook import read_workbook
from assets.reference.units import load_reference
from schemas.grid import Grid, Kind
from tests import legacy

NAMES = sorted({n.split(" ", 1)[1] for n in load_reference().units["name"] if " " in n})
PLACES = ["Bình Hòa", "Suối Đá", "Phước Thịnh", "Mỹ Hiệp", "Cà Ná", "Hà Già", "Đắk Lô", "Hòn Khói"]
Cell = tuple[Any, str]


def book(rows: Sequence[Sequence[Cell | None]], title: str = "Sheet1") -> bytes:
    """A workbook of (text, font) cells."""
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = title
    for i, row in enumerate(rows, 1):
        for j, cell in enumerate(row, 1):
            if cell is not None:
                sheet.cell(i, j, cell[0]).font = Font(name=cell[1])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def texts(grid: Grid) -> list[list[str]]:
    return [list(row) for row in grid.frame.select(c for c in grid.frame.columns[1::2]).rows()]


def undecoded(grid: Grid) -> list[str]:
    return [
        f"{c.removesuffix('__k')}{r}"
        for c in grid.frame.columns[2::2]
        for r, k in zip(grid.frame["_row"], grid.frame[c], strict=True)
        if k == Kind.UNDECODED
    ]


def test_cells_are_decoded_by_their_fonts() -> None:
    (grid,) = read_workbook(
        book(
            [
                [("danh s¸ch th«n", ".VnTimeH"), ("Số hộ", "Times New Roman"), ("Soá khaåu", "VNI-Times")],
                [("Suèi §¸", ".VnTime"), (10, ".VnTime"), ("Hà Già", "Arial")],
                [("Tiếng Việt", ".VnTime"), ("Cà Ná", ".VnTime"), ("Sè hé", ".VnArial")],
                [("Ph\xadíc ThÞnh", ".VnTime"), ("Mü HiÖp", ".VnTime"), ("Lª", ".VnTime")],
            ]
        )
    )
    assert texts(grid) == [
        ["DANH SÁCH THÔN", "Số hộ", "Số khẩu"],
        ["Suối Đá", "10", "Hà Già"],
        ["Tiếng Việt", "Cà Ná", "Số hộ"],
        ["Phước Thịnh", "Mỹ Hiệp", "Lê"],
    ]
    assert undecoded(grid) == []
    assert {note.params["encoding"] for note in grid.notes} == {"TCVN3 (ABC)", "VNI"}
    assert {note.params["where"] for note in grid.notes} == {"Trang tính “Sheet1”"}


def test_runs_of_a_rich_text_are_decoded_each_by_its_own_font() -> None:
    def run(text: str, font: str | None) -> Any:
        return TextBlock(InlineFont(rFont=font), text) if font else text

    rows = [
        [(CellRichText(run("Th«n ", ".VnTime"), run("Suối Đá", "Times New Roman")), "Times New Roman")],
        [(CellRichText(run("céng hßa", ".VnTimeH"), run(" Vieät", "VNI-Times")), "Arial")],
        [(CellRichText(run("B¶n ", None), run("Mỹ Hiệp", "Times New Roman")), ".VnTime")],
        [(CellRichText(run("Hµ Giµ", ".VnTime")), "Arial")],
        [(CellRichText(run("Cà", "Arial"), run(" Ná", "Calibri")), "Arial")],
    ]
    (grid,) = read_workbook(book(rows))
    assert texts(grid) == [["Thôn Suối Đá"], ["CỘNG HÒA Việt"], ["Bản Mỹ Hiệp"], ["Hà Già"], ["Cà Ná"]]


def test_the_default_font_of_a_workbook_may_be_a_legacy_one() -> None:
    made = Workbook()
    made._fonts[0] = Font(name=".VnTime")  # type: ignore[attr-defined]
    sheet = made.active
    assert sheet is not None
    sheet.append(["Tªn th«n", "Sè hé"])
    sheet.append(["Suèi §¸", 5])
    out = io.BytesIO()
    made.save(out)
    (grid,) = read_workbook(out.getvalue())
    assert texts(grid) == [["Tên thôn", "Số hộ"], ["Suối Đá", "5"]]


def test_a_sheet_of_legacy_text_whose_font_was_changed() -> None:
    rows = [["Tên thôn", "Số hộ"], *([place, "5"] for place in PLACES)]
    sent = [[(legacy.tcvn3(cell), "Times New Roman") for cell in row] for row in rows]
    grid = read_workbook(book(sent, title="Danh s¸ch th«n"))[0]
    assert texts(grid) == rows
    assert grid.name == "Danh sách thôn"
    assert [note.code for note in grid.notes] == ["ENCODING_READ"]


def test_a_few_cells_whose_font_was_changed_are_in_doubt() -> None:
    rows = [[("Tên thôn", "Arial")], *([(place, "Arial")] for place in PLACES), [("Suèi §¸", "Arial")]]
    (grid,) = read_workbook(book(rows))
    assert undecoded(grid) == ["A10"]
    assert [(n.code, n.params["count"]) for n in grid.notes] == [("ENCODING_UNDECIDED", 1)]


def test_unicode_pasted_into_cells_of_a_legacy_font_stays() -> None:
    rows = [[("Tên thôn", ".VnTime")], *([(place, ".VnTime")] for place in PLACES)]
    (grid,) = read_workbook(book(rows))
    assert [t for row, t in zip(texts(grid), ["Tên thôn", *PLACES], strict=True) if row != [t]] == []
    assert undecoded(grid) == ["A1", "A9"]  # 'Tên thôn' or 'Tờn thụn', 'Hòn Khói' or 'Hũn Khúi'


def test_the_name_of_a_sheet_is_in_the_encoding_of_its_cells() -> None:
    (grid,) = read_workbook(book([[("Suèi §¸ lín", ".VnTime")]], title="Th«n"))
    assert grid.name == "Thôn"
    (grid,) = read_workbook(book([[("Suối Đá", "Arial")]], title="Thôn Lê"))
    assert grid.name == "Thôn Lê"


FONTS = {
    ".VnTime": lambda text: legacy.tcvn3(text.lower()),
    ".VnTimeH": lambda text: legacy.tcvn3(text.lower()),
    "VNI-Times": legacy.vni,
    "Times New Roman": str,
}


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(sorted(FONTS))), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_names_in_any_mixture_of_fonts_are_read_back_or_in_doubt(cells: list[tuple[str, str]]) -> None:
    (grid,) = read_workbook(book([[(FONTS[font](name), font)] for name, font in cells]))
    doubt = undecoded(grid)
    for number, (row, (name, font)) in enumerate(zip(texts(grid), cells, strict=True), 1):
        if f"A{number}" not in doubt:
            assert row[0].lower() == name.lower()
            assert row[0] == (name.upper() if font == ".VnTimeH" else row[0])


@pytest.mark.parametrize("font", ["Times New Roman", "Calibri"])
def test_a_usual_workbook_is_told_nothing(font: str) -> None:
    (grid,) = read_workbook(book([[(name, font)] for name in NAMES]))
    assert (grid.notes, undecoded(grid)) == ([], [])
    assert texts(grid) == [[name] for name in NAMES]
