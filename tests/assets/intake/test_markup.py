"""Reading HTML, web archives and XML Spreadsheet 2003: tables, spans, what Excel leaves in its pages, damage."""

from __future__ import annotations

import time

import pytest

from assets.intake.webpage import read_html, read_mhtml
from assets.intake.workbook import Limits
from assets.intake.xmlsheet import read_xmlsheet
from schemas.grid import Grid, Kind, Unreadable

from .books import SS, xml_sheet
from .test_readers import cells

B, T, N, D, L, E, U, *_ = (int(k) for k in Kind)


def page(rows: str, head: str = "") -> bytes:
    return f"<html><head><meta charset=utf-8>{head}</head><body><table>{rows}</table></body></html>".encode()


def read(rows: str, head: str = "") -> Grid:
    (grid,) = read_html(page(rows, head))
    return grid


def code(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read_html(data, limits)
    return caught.value.problem.code


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<td> Nà \n  Lụa </td>", "Nà Lụa"),
        ("<td>Nà<br>Lụa</td>", "Nà\nLụa"),
        ("<td><p>Nà</p><p>Lụa</p></td>", "Nà\nLụa"),
        ("<td>a&nbsp;b &amp; &lt;c&gt; &#7909;</td>", "a b & <c> ụ"),
        ("<td><font size=2><b>Đào</b></font></td>", "Đào"),
        ("<td>x<span style='display:none'>ẩn</span><script>y</script></td>", "x"),
        ("<td>00123</td>", "00123"),
        ("<td>1.234</td>", "1.234"),
        ("<td>a\0b</td>", "a\ufffdb"),
    ],
)
def test_texts_are_what_a_browser_shows(cell: str, text: str) -> None:
    assert cells(read(f"<tr>{cell}</tr>")) == {"A1": (text, T)}


def test_a_no_break_space_alone_is_blank() -> None:
    assert cells(read("<tr><td>x<td>&nbsp;<td>y</tr>")) == {"A1": ("x", T), "C1": ("y", T)}


def test_spans_move_what_follows() -> None:
    grid = read(
        "<thead><tr><th rowspan=2>TT<th colspan=2>Số<th rowspan=0>Ghi chú</tr><tr><th>hộ<th>khẩu</tr></thead>"
        "<tbody><tr><td>1<td>2<td>3</tr></tbody>"
    )
    assert {k: v for k, (v, _) in cells(grid).items()} == {
        "A1": "TT", "B1": "Số", "D1": "Ghi chú", "B2": "hộ", "C2": "khẩu", "A3": "1", "B3": "2", "C3": "3"
    }  # fmt: skip
    assert grid.merged == ((1, 1, 2, 1), (1, 2, 1, 3), (1, 4, 3, 4))
    assert grid.bold_rows == {1, 2}


def test_what_excel_leaves_in_its_pages() -> None:
    head = (
        '<style><!-- td {font-weight:400}\n.xl65 {mso-number-format:"Short Date";}\n.xl66{mso-number-format:00000;'
        'font-weight:700}\n.xl67{mso-number-format:"\\#\\,\\#\\#0"} .xl68{mso-number-format:"dd\\/mm\\/yyyy\\;\\@"} --></style>'
        "<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:ExcelWorksheets><x:ExcelWorksheet><x:Name>Biểu &amp; 1</x:Name>"
        "</x:ExcelWorksheet></x:ExcelWorksheets></x:ExcelWorkbook></xml><![endif]-->"
    )
    grid = read(
        "<tr><td class=xl65 x:num=46203>30/06/2026<td class=xl66 x:num>123<td class=xl67 x:num='1234567.5'>1,234,568"
        "<td x:str='00123'>00123<td x:err='#REF!'>#REF!<td x:bool=TRUE>TRUE<td class=xl68 x:num=46203.5>30/06/2026<td x:num>-</tr>",
        head,
    )
    assert grid.name == "Biểu & 1"
    assert list(cells(grid).values()) == [
        ("2026-06-30", D), ("00123", N), ("1234567.5", N), ("00123", T), ("#REF!", E), ("true", L),
        ("2026-06-30T12:00:00", D), ("-", T),
    ]  # fmt: skip
    in_1904 = read("<tr><td class=xl65 x:num=44741>?</tr>", head + "<xml><x:Date1904/></xml>")
    assert cells(in_1904) == {"A1": ("2026-06-30", D)}


def test_several_tables_and_tables_in_tables() -> None:
    inner = "<table><tr><td>hai</table>"
    data = page(f"<tr><td>một{inner}</td></tr>").replace(
        b"</body>", b"<table><tr><td></table><table><tr><td>ba</table></body>"
    )
    assert [(g.name, g.index, cells(g)) for g in read_html(data)] == [
        ("Bảng 1", 0, {"A1": ("một", T)}), ("Bảng 2", 1, {"A1": ("hai", T)}), ("Bảng 3", 2, {"A1": ("ba", T)})
    ]  # fmt: skip


def test_hidden_rows() -> None:
    assert read("<tr><td>a<tr style='DISPLAY: none'><td>b<tr hidden><td>c").hidden_rows == (2, 3)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("<meta charset='windows-1258'><table><tr><td>Nà</table>".encode("cp1258"), "Nà"),
        (
            "<meta http-equiv=Content-Type content='text/html; charset=windows-1252'><table><tr><td>ụ</table>".encode(),
            "ụ",
        ),
        ("<table><tr><td>Lụa</table>".encode("utf-16"), "Lụa"),
        ("\ufeff<table><tr><td>Lụa</table>".encode(), "Lụa"),
        ("<?xml version='1.0' encoding='UTF-8'?><html><table><tr><td>Lụa</td></tr></table></html>".encode(), "Lụa"),
    ],
)
def test_encodings_as_stated(data: bytes, text: str) -> None:
    assert cells(read_html(data)[0]) == {"A1": (text, T)}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<html><body><form>Login</form></body></html>", "NO_TABLE_IN_PAGE"),
        (b"<html><table></table><table><tr><td> </td></tr></table></html>", "NO_TABLE_IN_PAGE"),
        (b"<!-- <table><tr><td>1</table> --><p>", "NO_TABLE_IN_PAGE"),
        (b"<html><table><tr><td>1</td></tr><tr><td>2", "DAMAGED_FILE"),
        (b"<div>" * 5_000 + b"<table><tr><td>1</table>", "DAMAGED_FILE"),
        ("<table><tr><td>Lụa\xe0</table>".encode("latin-1", "ignore"), "NOT_UTF8"),
        (b"<meta charset=base64><table><tr><td>\xe0</table>", "NOT_UTF8"),
        (b"<table>" + b"<tr><td colspan=1000>x" * 17_000 + b"</table>", "TOO_LARGE"),
        (b"<table><tr>" + b"<td>x" * 3_000 + b"</table>", "TOO_LARGE"),
    ],
)
def test_pages_without_a_whole_table_are_refused(data: bytes, expected: str) -> None:
    assert code(data) == expected


def test_bounds() -> None:
    assert code(page("<tr><td>x"), Limits(tree_bytes=50)) == "TOO_LARGE"
    start = time.process_time()
    assert read("<tr>" + "<td rowspan=60000>x" * 900 + "</tr>" + "<tr></tr>" * 2_000).frame.height == 1
    assert time.process_time() - start < 5


MHTML = b"""From: <Saved by Microsoft Excel>
MIME-Version: 1.0
Content-Type: multipart/related; boundary="--=_x"

----=_x
Content-Location: file:///C:/a.htm
Content-Transfer-Encoding: quoted-printable
Content-Type: text/html; charset="utf-8"

<html><x:ExcelWorksheet><x:Name>T1</x:Name><x:WorksheetSource HRef=3D"a_files/sheet001.htm"/></x:ExcelWorksheet>
<x:ExcelWorksheet><x:Name>T2</x:Name><x:WorksheetSource HRef=3D"a_files/sheet002.htm"/></x:ExcelWorksheet></html>

----=_x
Content-Location: file:///C:/a_files/sheet001.htm
Content-Transfer-Encoding: quoted-printable
Content-Type: text/html; charset="windows-1258"

<table><tr><td>N=E0</td></tr></table>

----=_x
Content-Location: file:///C:/a_files/sheet002.htm
Content-Transfer-Encoding: base64
Content-Type: text/html; charset="utf-8"

PHRhYmxlPjx0cj48dGQ+THXMo2E8L3RkPjwvdHI+PC90YWJsZT4=

----=_x--
"""


def test_a_web_archive() -> None:
    assert [(g.name, cells(g)) for g in read_mhtml(MHTML)] == [
        ("T1", {"A1": ("Nà", T)}), ("T2", {"A1": ("Lu\u0323a", T)})
    ]  # fmt: skip
    for cut in (MHTML.index(b"----=_x--"), MHTML.index(b"base64")):
        with pytest.raises(Unreadable, match="DAMAGED_FILE"):
            read_mhtml(MHTML[:cut])


# --------------------------------------------------------------------------------------------- XML Spreadsheet 2003

STYLES = (
    '<Style ss:ID="Default"><Font ss:FontName="Arial"/></Style><Style ss:ID="ma"><NumberFormat ss:Format="00000"/></Style>'
    '<Style ss:ID="ngay"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="gio"><NumberFormat ss:Format="h:mm"/></Style>'
    '<Style ss:ID="dam"><Font ss:Bold="1"/></Style><Style ss:ID="con" ss:Parent="ma"/>'
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('<Data ss:Type="String">Nà&#10;Lụa</Data>', ("Nà\nLụa", T)),
        ('<ss:Data ss:Type="String" xmlns:h="x"><h:B>Nà</h:B> Lụa</ss:Data>', ("Nà Lụa", T)),
        ('<Data ss:Type="Number">488.0</Data>', ("488", N)),
        ('<Data ss:Type="Boolean">1</Data>', ("true", L)),
        ('<Data ss:Type="Error">#REF!</Data>', ("#REF!", E)),
        ('<Data ss:Type="DateTime">2026-06-30T08:05:00.000</Data>', ("2026-06-30T08:05:00", D)),
        ('<Data ss:Type="DateTime">1899-12-31T08:05:00.000</Data>', ("08:05:00", T)),
        ('<Data ss:Type="String"></Data>', None),
        ('<Comment><ss:Data>ghi chú</ss:Data></Comment>', None),
    ],
)  # fmt: skip
def test_each_kind_of_cell(written: str, expected: tuple[str, int] | None) -> None:
    (grid,) = read_xmlsheet(xml_sheet(f"<Row><Cell>{written}</Cell></Row>"))
    assert cells(grid) == ({} if expected is None else {"A1": expected})


def test_formats_indices_merges_and_what_is_hidden() -> None:
    rows = (
        '<Row ss:Index="3" ss:StyleID="dam"><Cell ss:Index="2" ss:MergeAcross="2" ss:MergeDown="1"><Data ss:Type="String">Tên'
        '</Data></Cell><Cell><Data ss:Type="String">Số</Data></Cell></Row><Row ss:Hidden="1" ss:Span="1"><Cell ss:StyleID="ma">'
        '<Data ss:Type="Number">123</Data></Cell></Row><Row><Cell ss:StyleID="con"><Data ss:Type="Number">7</Data></Cell>'
        '<Cell ss:StyleID="ngay"><Data ss:Type="Number">46203</Data></Cell><Cell ss:Formula="=RC[-1]"/></Row>'
    )
    after = '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions>'
    (grid,) = read_xmlsheet(xml_sheet(rows, STYLES, after, "Biểu 1"))
    assert cells(grid) == {
        "B3": ("Tên", T), "E3": ("Số", T), "A4": ("00123", N), "A6": ("00007", N), "B6": ("2026-06-30", D), "C6": ("", U)
    }  # fmt: skip
    assert (grid.name, grid.hidden, grid.merged, grid.hidden_rows) == ("Biểu 1", True, ((3, 2, 4, 4),), (4,))
    assert grid.bold_rows == {3}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (xml_sheet("<Row><Cell><Data>x</Data></Cell></Row>")[:-20], "DAMAGED_WORKBOOK"),
        (xml_sheet('<Row ss:Index="0"><Cell/></Row>'), "DAMAGED_WORKBOOK"),
        (f'<!DOCTYPE a [<!ENTITY b "c">]><Workbook xmlns="{SS}"/>'.encode(), "DAMAGED_WORKBOOK"),
        (xml_sheet('<Row ss:Index="2000000"><Cell><Data ss:Type="String">x</Data></Cell></Row>'), "TOO_LARGE"),
        (xml_sheet('<Row><Cell ss:Index="20000"><Data ss:Type="String">x</Data></Cell></Row>'), "TOO_LARGE"),
    ],
)
def test_broken_sheets_are_refused(data: bytes, expected: str) -> None:
    with pytest.raises(Unreadable, match=expected):
        read_xmlsheet(data)
