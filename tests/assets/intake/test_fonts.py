"""Legacy Vietnamese fonts in every format that knows fonts: the same cells in Unicode, whole and in runs."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import polars as pl
import pytest
import xlwt

from assets.intake.encodings import decode
from assets.intake.readers import reader
from assets.intake.xls import read_xls
from assets.intake.xlsb import read_xlsb
from schemas.grid import Kind

from . import books
from .test_readers import cells
from .test_xls import biff5

TCVN3 = ["Sè hé", "Th«n Nµ Lôa", "X· §×nh B¶n", "Ng­êi lËp biÓu"]
UNICODE = [decode(text, "tcvn3") for text in TCVN3]
OF_VNI = ["Soá hoä", "Thoân Naø Luïa"]


def _xls(texts: list[str], font: str) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("a")
    for row, text in enumerate(texts):
        sheet.write(row, 0, text, xlwt.easyxf(f"font: name {font}"))
    return books.saved(book)


def _fonts(font: str) -> bytes:
    """Styles of a binary package: style 0 with an ordinary font, 1 with this one."""
    body = struct.pack("<HHHHBBBB8xB", 220, 0, 400, 0, 0, 0, 0, 0, 0)
    fonts = b"".join(books.record(43, body + books.wide(name)) for name in ("Arial", font))
    looks = b"".join(books.record(47, struct.pack("<HHH10x", 0, 0, n)) for n in (0, 1))
    return fonts + books.record(617) + looks + books.record(618)


def _xlsb(texts: list[str], font: str) -> bytes:
    rows = (books.xlsb_row(n, books.xlsb_cell(6, 1, books.wide(t), 1)) for n, t in enumerate(texts, 1))
    return books.xlsb_package(b"".join(rows), styles=_fonts(font))


def _ods(texts: list[str], font: str) -> bytes:
    style = f'<style:style style:name="c" style:family="table-cell"><style:text-properties style:font-name="{font}"/></style:style>'
    rows = "".join(
        '<table:table-row><table:table-cell table:style-name="c" office:value-type="string"><text:p>'
        f"{text}</text:p></table:table-cell></table:table-row>"
        for text in texts
    )
    return books.ods_package(books.ods_document(rows, style))


def _xml(texts: list[str], font: str) -> bytes:
    rows = "".join(f'<Row><Cell ss:StyleID="c"><Data ss:Type="String">{t}</Data></Cell></Row>' for t in texts)
    return books.xml_sheet(rows, f'<Style ss:ID="c"><Font ss:FontName="{font}"/></Style>')


def _html(texts: list[str], font: str) -> bytes:
    rows = "".join(f"<tr><td class=c>{text}</td></tr>" for text in texts)
    return f"<meta charset=utf-8><style>.c {{font-family:{font}, sans-serif}}</style><table>{rows}</table>".encode()


def _html_of_old(texts: list[str], font: str) -> bytes:
    rows = "".join(f'<tr><td><font face="{font}">{text}</font></td></tr>' for text in texts)
    return f"<meta charset=utf-8><table>{rows}</table>".encode()


WRITERS: list[tuple[str, Callable[[list[str], str], bytes]]] = [
    ("xls", _xls), ("xlsb", _xlsb), ("ods", _ods), ("xmlsheet", _xml), ("html", _html), ("html", _html_of_old)
]  # fmt: skip


@pytest.mark.parametrize(("kind", "write"), WRITERS, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_cells_in_a_legacy_font(kind: str, write: Callable[[list[str], str], bytes]) -> None:
    (grid,) = reader(kind)(write(TCVN3, ".VnTime"))
    assert [text for text, _ in cells(grid).values()] == UNICODE
    assert [n.code for n in grid.notes] == ["ENCODING_READ"]
    (capitals,) = reader(kind)(write(TCVN3, ".VnTimeH"))
    assert [text for text, _ in cells(capitals).values()] == [text.upper() for text in UNICODE]
    (vni,) = reader(kind)(write(OF_VNI, "VNI-Times"))
    assert [text for text, _ in cells(vni).values()] == ["Số hộ", "Thôn Nà Lụa"]


@pytest.mark.parametrize(("kind", "write"), WRITERS, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_unicode_stays_as_it_is(kind: str, write: Callable[[list[str], str], bytes]) -> None:
    (grid,) = reader(kind)(write(UNICODE, "Times New Roman"))
    assert ([text for text, _ in cells(grid).values()], grid.notes) == (UNICODE, [])


def test_runs_in_two_fonts() -> None:
    want = {"A1": ("Thôn Nà Lụa, mới", int(Kind.TEXT))}
    book = xlwt.Workbook(encoding="utf-8")
    fonts = [xlwt.easyfont(f"name {name}") for name in (".VnTime", "Arial")]
    book.add_sheet("a").write_rich_text(0, 0, [("Th«n Nµ Lôa", fonts[0]), (", mới", fonts[1])])
    assert cells(read_xls(books.saved(book))[0]) == want
    text = "Th«n Nµ Lôa, mới"
    runs = struct.pack("<I4H", 2, 0, 1, 11, 0)
    shared = books.record(19, b"\1" + books.wide(text) + runs)
    row = books.xlsb_row(1, books.xlsb_cell(7, 1, bytes(4)))
    assert cells(read_xlsb(books.xlsb_package(row, styles=_fonts(".VnTime"), shared=shared))[0]) == want


def test_excel_5_in_a_legacy_font_whatever_the_code_page() -> None:
    font = struct.pack("<HHHHHBBBB", 200, 0, 0, 400, 0, 0, 0, 0, 0) + b"\x07.VnTime"
    data = biff5("Nµ Lôa".encode("cp1252"), 1258, font)
    assert cells(read_xls(data)[0])["A1"] == ("Nà Lụa", int(Kind.TEXT))


def test_texts_without_fonts_go_by_their_syllables() -> None:
    (grid,) = reader("json")(books.json_lists([[text] for text in TCVN3]))
    assert [text for text, _ in cells(grid).values()] == UNICODE
    out = io.BytesIO()
    pl.DataFrame({"a": TCVN3}).write_parquet(out)
    (grid,) = reader("parquet")(out.getvalue())
    assert [text for text, _ in cells(grid).values()] == ["a", *UNICODE]
