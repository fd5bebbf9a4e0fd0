"""Returned workbooks in a program that officers have."""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import load_workbook

from assets.intake.tables import ANSWER_SHEET
from assets.intake.workbook import read_workbook
from assets.returns.package import FILLS, SIGN, Book, Mark
from tests.assets.returns.test_package import page, patched, sample, saved
from tests.e2e.flows import World
from tests.e2e.test_returned import back

from .conftest import Convert


def test_every_given_case_is_printed_without_a_warning(
    cases: tuple[World, dict[str, bytes]], office: Convert, tmp_path: Path
) -> None:
    world, files = cases
    books = []
    for name in files:
        books.append(tmp_path / f"{name}.xlsx")
        books[-1].write_bytes(back(world, name))
    for made in office(books, "pdf"):
        assert made.read_bytes().startswith(b"%PDF")


def test_what_it_saves_is_known_again(office: Convert, tmp_path: Path) -> None:
    """Its styles, comments and drawings are written anew: ours are found in them all the same."""
    before = saved(sample())
    returned, _ = patched(before, {0: [Mark(2, 2, "error", "Lỗi: sai."), Mark(3, 1, "warning", "Cảnh báo: lạ.")]})
    (tmp_path / "tra_lai.xlsx").write_bytes(returned)
    (file,) = office([tmp_path / "tra_lai.xlsx"], "xlsx")
    book = load_workbook(file)
    assert book.sheetnames == [ANSWER_SHEET, "Số liệu", "Khác"]
    cell = book["Số liệu"]["B2"]
    assert (cell.fill.fgColor.rgb, cell.comment.text, cell.value) == (FILLS["error"], f"{SIGN}\nLỗi: sai.", 12)
    assert book.worksheets[0]["A2"].value == "=1+1" and book.worksheets[0]["A2"].data_type == "s"
    again = Book(file.read_bytes())
    again.mark({})
    sheets = load_workbook(io.BytesIO(again.finished(page())))
    assert sheets.sheetnames == [ANSWER_SHEET, "Số liệu", "Khác"]
    assert sheets["Số liệu"]["B2"].fill.fill_type is None and sheets["Số liệu"]["B2"].comment is None
    texts = [g.frame["A"].to_list() for g in read_workbook(file.read_bytes()) if g.name == "Số liệu"]
    assert texts == [["Tên thôn", "Bình An", "Phú Lộc"]]
