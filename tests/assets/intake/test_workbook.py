"""Reading .xlsx bytes: kinds and texts of cells, package oddities, bounds, and that both readers of a sheet agree."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from assets.intake import workbook
from assets.intake.limits import Limits
from assets.intake.workbook import column_number, letters, read_workbook
from schemas.grid import KIND, Grid, Kind, Unreadable

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the folder of shared cases and real files is absent")

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PKG = "http://schemas.openxmlformats.org/package/2006/relationships"
B, T, N, D, L, E, U = (int(k) for k in list(Kind)[:7])


def package(
    rows: str,
    *,
    shared: str = "",
    styles: str = "",
    book: str = "",
    after: str = "",
    main: str = MAIN,
    doc: str = DOC,
    **other: str,
) -> bytes:
    """A workbook of one sheet from the inside of its parts."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{PKG}"><Relationship Id="a" Type="{doc}/officeDocument" '
        'Target="/xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{doc}">{book}'
        '<sheets><sheet name="Thôn" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PKG}">'
        f'<Relationship Id="r1" Type="{doc}/worksheet" Target="worksheets/mot.xml"/>'
        f'<Relationship Id="r2" Type="{doc}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="r3" Type="{doc}/styles" Target="/xl/styles.xml"/></Relationships>',
        "xl/worksheets/mot.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{styles}</styleSheet>',
        **{name.replace("__", "/"): text for name, text in other.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text if text.startswith(("<?xml", "<!")) else head + text)
    return out.getvalue()


def formats(*codes: str) -> str:
    """Styles 1, 2, ... with these number formats (a number = a built-in id)."""
    own = [c for c in codes if not (c.isdecimal() and len(c) == 2)]
    numbers = {c: 164 + i for i, c in enumerate(own)}
    declared = "".join(
        f'<numFmt numFmtId="{i}" formatCode="{escape(c, {chr(34): "&quot;"})}"/>' for c, i in numbers.items()
    )
    used = "".join(f'<xf numFmtId="{numbers.get(c, c)}"/>' for c in codes)
    return f'<numFmts>{declared}</numFmts><fonts><font/></fonts><cellXfs><xf numFmtId="0"/>{used}</cellXfs>'


def cells(grid: Grid) -> dict[str, tuple[str, int]]:
    """Address -> text and kind, of all cells that are not blank."""
    found = {}
    for row in grid.frame.rows(named=True):
        for name in grid.frame.columns[1::2]:
            if row[name + KIND]:
                found[f"{name}{row['_row']}"] = (row[name], row[name + KIND])
            else:
                assert row[name] == ""
    return found


def read(rows: str, **parts: Any) -> dict[str, tuple[str, int]]:
    return cells(read_workbook(package(rows, **parts))[0])


def code(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read_workbook(data, limits)
    return caught.value.problem.code


def case(path: str) -> dict[str, tuple[str, int]]:
    return cells(read_workbook((SHARED / "cases" / path).read_bytes())[0])


# ------------------------------------------------------------------------------------------------------- given cases


@needs_shared
def test_g02_numbers_as_text_stay_text() -> None:
    found = case("G02/thon_quy2.xlsx")
    assert found["F2"] == ("1.234", T)
    assert found["F6"] == ("chưa thống kê", T)
    assert ("12,5", T) in found.values()


@needs_shared
def test_g04_texts_are_as_sent() -> None:
    found = case("G04/thon_may_mac.xlsx")
    assert any("\xa0" in text for text, _ in found.values())
    assert any("\u0300" in text or "\u0301" in text for text, _ in found.values())


@needs_shared
def test_g06_a_printed_form_keeps_addresses_and_merges() -> None:
    grid = read_workbook((SHARED / "cases/G06/bieu01_pac_thong.xlsx").read_bytes())[0]
    sheet = openpyxl.load_workbook(SHARED / "cases/G06/bieu01_pac_thong.xlsx").active
    assert "A" not in grid.frame.columns
    assert sorted(grid.merged) == sorted(
        (r.min_row, r.min_col, r.max_row, r.max_col) for r in sheet.merged_cells.ranges
    )
    assert grid.frame.filter(pl.col("_row") == 16).height == 1
    found = cells(grid)
    assert any(text == "Thôn Nà Thông" or text == "Nà Thông" for place, (text, _) in found.items() if place[1:] == "16")


@needs_shared
def test_g07_errors_and_formulas_without_result_are_no_blanks() -> None:
    found = case("G07/thon_cong_thuc.xlsx")
    assert found["F3"] == ("401", N)
    assert found["F4"] == ("#REF!", E)
    assert found["F5"] == ("", U)
    assert found["E6"] == ("#DIV/0!", E)


@needs_shared
def test_g16_long_and_large_values_are_whole() -> None:
    found = case("G16/thon_dai.xlsx")
    assert len(found["C61"][0]) == 5_000
    assert ("3000000000", N) in found.values()


# -------------------------------------------------------------------------------------------------------- real files


@needs_shared
def test_the_statistics_office_workbook() -> None:
    merged, plain = read_workbook((SHARED / "data/real/admin/BangChuyendoiDVHCmoi_cu_final.xlsx").read_bytes())
    assert (merged.name, plain.name) == ("Tổng hợp_có merge", "Tổng hợp_không merge ")
    assert (merged.index, plain.index) == (0, 1)
    assert len(merged.merged) == 15_915
    for grid in (merged, plain):
        assert grid.frame["_row"].to_list() == list(range(1, 10_608))
    below = plain.frame.slice(2)
    section = below.filter(pl.all_horizontal(pl.col(c).str.strip_chars() == "" for c in "BCDEFGH"))
    assert section.height == 34
    khanh_hoa = below.filter(pl.col("A").str.contains("(56)", literal=True))
    assert khanh_hoa.height == 205
    assert khanh_hoa["C"].n_unique() == 65
    data = below.filter(~pl.col("_row").is_in(section["_row"].to_list()))
    assert (data["C__k"] == N).sum() == 5_525
    assert (data["E__k"] == N).sum() == 23
    assert data.filter(pl.col("C__k") == N)["C"].str.contains(r"^\d{1,5}$").all()


@needs_shared
@pytest.mark.parametrize(
    "path",
    [
        "admin/admin_mapping_old_to_new_10_25.xlsx",
        "census2019/Population by Age and Urban (District).xlsx",
    ],
)
def test_real_workbooks_equal_openpyxl_cell_by_cell(path: str) -> None:
    data = (SHARED / "data/real" / path).read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    for grid, sheet in zip(read_workbook(data), book.worksheets, strict=True):
        frame = grid.frame.filter(pl.col("_row") <= 300)
        found = {
            (row["_row"], column_number(name)): row[name]
            for row in frame.rows(named=True)
            for name in frame.columns[1::2]
            if row[name]
        }
        expected = {}
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_row=300), 1):
            for column, value in enumerate(row, 1):
                if value is not None and value != "":
                    text = str(int(value)) if isinstance(value, float) and value == int(value) else str(value)
                    expected[number, column] = text
        assert found == expected


# ------------------------------------------------------------------------------------------------------ kinds of cells


def test_texts() -> None:
    shared = (
        "<si><t>Nà Lụa</t></si>"
        "<si><r><t>Bản </t></r><r><rPr><b/></rPr><t xml:space='preserve'>Mây </t></r>"
        "<rPh sb='0' eb='1'><t>phonetic</t></rPh></si>"
        "<si><t xml:space='preserve'>  hai  đầu </t></si>"
        "<si><t>a_x000D_b_x005F_x000D_</t></si>"
        "<si><t/></si>"
        "<si><t>_xD83D__xDE00__xD83D_</t></si>"
    )
    rows = "<row r='1'>" + "".join(f"<c r='{c}1' t='s'><v>{i}</v></c>" for i, c in enumerate("ABCDEF")) + "</row>"
    rows += (
        '<row r="2"><c r="A2" t="inlineStr"><is><t>&#272;&#224;o &amp; m&#xE2;y</t></is></c>'
        '<c r="B2" t="inlineStr"><is><r><t>hai </t></r><r><t>phần</t></r></is></c>'
        '<c r="C2" t="str"><f>A1&amp;"x"</f><v>a&lt;b_x000A_</v></c></row>'
    )
    assert read(rows, shared=shared) == {
        "A1": ("Nà Lụa", T),
        "B1": ("Bản Mây ", T),
        "C1": ("  hai  đầu ", T),
        "D1": ("a\rb_x000D_", T),
        "F1": ("😀\ufffd", T),
        "A2": ("Đào & mây", T),
        "B2": ("hai phần", T),
        "C2": ("a<b\n", T),
    }


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="A1"/>', None),
        ('<c r="A1" s="0"></c>', None),
        ('<c r="A1"><v></v></c>', None),
        ('<c r="A1"><f>B1</f></c>', ("", U)),
        ('<c r="A1"><f>B1</f><v/></c>', ("", U)),
        ('<c r="A1"><f>B1</f><v></v></c>', ("", U)),
        ('<c r="A1"><f t="shared" si="0"/></c>', ("", U)),
        ('<c r="A1" t="str"><f>B1</f><v></v></c>', None),
        ('<c r="A1" t="str"><f>B1</f></c>', ("", U)),
        ('<c r="A1"><f>B1</f><v>401</v></c>', ("401", N)),
        ('<c r="A1" t="e"><f>B1</f><v>#REF!</v></c>', ("#REF!", E)),
        ('<c r="A1" t="e"><v>#N/A</v></c>', ("#N/A", E)),
        ('<c r="A1" t="b"><v>1</v></c>', ("true", L)),
        ('<c r="A1" t="b"><v>0</v></c>', ("false", L)),
        ('<c r="A1" t="d"><v>2026-06-30T00:00:00</v></c>', ("2026-06-30", D)),
        ('<c r="A1" t="d"><v>2026-06-30T08:15:00Z</v></c>', ("2026-06-30T08:15:00", D)),
    ],
)
def test_blank_error_formula_and_others_are_told_apart(cell: str, expected: tuple[str, int] | None) -> None:
    assert read(f'<row r="1">{cell}</row>').get("A1") == expected


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("4.0", "4"), ("22333", "22333"), ("1E3", "1000"), ("-0", "0"), ("-12", "-12"), ("007", "7"),
        ("33.299999999999997", "33.3"), ("12.5", "12.5"), ("1.5E-5", "0.000015"),
        ("56123456789", "56123456789"), ("999999999999999", "999999999999999"), ("1E+14", "100000000000000"),
        ("123456789012345680", "1.2345678901234568e+17"),
    ],
)  # fmt: skip
def test_numbers_in_their_shortest_form(stored: str, text: str) -> None:
    assert read(f'<row r="1"><c r="A1"><v>{stored}</v></c></row>')["A1"] == (text, N)


@pytest.mark.parametrize("stored", ["nan", "1_000", "12 hộ", "inf"])
def test_what_is_no_number_is_text(stored: str) -> None:
    assert read(f'<row r="1"><c r="A1"><v>{stored}</v></c></row>')["A1"] == (stored, T)


@pytest.mark.parametrize(
    ("number_format", "stored", "expected"),
    [
        ("14", "46203", ("2026-06-30", D)),
        ("22", "46203.34375", ("2026-06-30T08:15:00", D)),
        ("dd/mm/yyyy;@", "46203", ("2026-06-30", D)),
        ("[$-42A]dd/mm/yyyy", "46203", ("2026-06-30", D)),
        ("[$-101042A]d/m/yy h:mm AM/PM;@", "46203.5", ("2026-06-30T12:00:00", D)),
        ('"Ngày" dd "tháng" mm "năm" yyyy', "46203", ("2026-06-30", D)),
        (r"d\-m\-yyyy", "46203", ("2026-06-30", D)),
        ("[Red]mm/yyyy", "46203", ("2026-06-30", D)),
        ("dd/mm/yyyy hh:mm:ss.000", "46203.9999999", ("2026-07-01", D)),
        ("14", "1", ("1900-01-01", D)),
        ("14", "59", ("1900-02-28", D)),
        ("14", "60", ("60", N)),  # 29 February 1900, which never was
        ("14", "61", ("1900-03-01", D)),
        ("14", "0", ("0", N)),
        ("14", "-1", ("-1", N)),
        ("14", "2958465", ("9999-12-31", D)),
        ("14", "2958466", ("2958466", N)),
        ("14", "1E307", (None, N)),
        ("h:mm", "0.34375", ("08:15:00", T)),
        ("[h]:mm", "1.5", ("36:00:00", T)),
        ("hh:mm", "46203.5", ("2026-06-30T12:00:00", D)),
        ("00000", "4", ("00004", N)),
        ("000000000000", "56123456789", ("056123456789", N)),
        ("00000", "4.5", ("4.5", N)),
        ("00000", "-4", ("-4", N)),
        ("0", "4", ("4", N)),
        ("General", "4", ("4", N)),
        ('#,##0 "hộ"', "1234", ("1234", N)),
        (r"#,##0\ \d", "1234", ("1234", N)),
        ("[Red]#,##0;[Blue]-#,##0", "1234", ("1234", N)),
        ("[$₫-42A]#,##0", "1234", ("1234", N)),
        ("0.00E+00", "1234", ("1234", N)),
        ('"đã đủ dd"', "1234", ("1234", N)),
        ("@", "1234", ("1234", N)),
    ],
)
def test_number_formats(number_format: str, stored: str, expected: tuple[str | None, int]) -> None:
    text, kind = read(f'<row r="1"><c r="A1" s="1"><v>{stored}</v></c></row>', styles=formats(number_format))["A1"]
    assert (text if expected[0] else None, kind) == expected


def test_the_1904_system() -> None:
    rows = '<row r="1"><c r="A1" s="1"><v>44741</v></c><c r="B1" s="1"><v>0</v></c></row>'
    found = read(rows, styles=formats("14"), book='<workbookPr date1904="1"/>')
    assert found == {"A1": ("2026-06-30", D), "B1": ("1904-01-01", D)}


# --------------------------------------------------------------------------------------------------- rows and packages


def test_rows_and_cells_without_references_or_out_of_order() -> None:
    rows = (
        "<row><c><v>1</v></c><c/><c><v>3</v></c></row>"
        '<row r="9"><c r="C9"><v>93</v></c><c r="A9"><v>91</v></c><c><v>92</v></c></row>'
        '<row r="4"><c r="AB4"><v>428</v></c></row>'
        '<row r="9"><c r="D9"><v>94</v></c></row>'
    )
    grid = read_workbook(package(rows))[0]
    assert grid.frame["_row"].to_list() == [1, 4, 9]
    assert {k: v[0] for k, v in cells(grid).items()} == {
        "A1": "1", "C1": "3", "A9": "91", "B9": "92", "C9": "93", "D9": "94", "AB4": "428",
    }  # fmt: skip
    assert grid.frame.columns == ["_row", *(c for n in ("A", "B", "C", "D", "AB") for c in (n, n + KIND))]


def test_hidden_rows_bold_rows_and_trailing_empty_rows() -> None:
    bold = '<fonts><font/><font><b/></font></fonts><cellXfs><xf/><xf fontId="1"/></cellXfs>'
    rows = (
        '<row r="1"><c r="A1" s="1"><v>1</v></c><c r="B1"/></row>'
        '<row r="2" hidden="1"><c r="A2" s="1"><v>1</v></c><c r="B2"><v>2</v></c></row>'
        '<row r="3" spans="1:2" hidden="true"><c r="A3"/></row>'
        '<row r="5"><c r="A5"><v>1</v></c></row>'
        '<row r="6"><c r="A6" s="1"/></row><row r="7"/>'
    )
    grid = read_workbook(package(rows, styles=bold, after='<mergeCells><mergeCell ref="A1:B2"/></mergeCells>'))[0]
    assert grid.frame["_row"].to_list() == [1, 2, 3, 5]
    assert grid.hidden_rows == (2,)
    assert grid.bold_rows == {1}
    assert grid.merged == ((1, 1, 2, 2),)


def test_an_empty_sheet_is_a_grid_without_rows() -> None:
    grid = read_workbook(package(""))[0]
    assert grid.frame.shape == (0, 1)
    assert grid.frame.schema == {"_row": pl.Int32}
    assert read_workbook(package("", xl__worksheets__mot_xml="x"))[0].frame.height == 0


def test_strict_ooxml_and_prefixed_names() -> None:
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    shared = "<si><t>a</t></si>"
    assert read(rows, shared=shared, main=strict, doc="http://purl.oclc.org/ooxml/officeDocument/relationships") == {
        "A1": ("a", T)
    }
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row>'
        '</x:sheetData><x:mergeCells><x:mergeCell ref="A1:C1"/></x:mergeCells></x:worksheet>'
    )
    grid = read_workbook(package("", shared=shared, **{"xl/worksheets/mot.xml": sheet}))[0]
    assert cells(grid) == {"A1": ("a", T)}
    assert grid.merged == ((1, 1, 1, 3),)


def test_sheets_come_through_relations_and_chart_sheets_are_left_out() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Một"
    book.active.append(["a"])
    book.create_chartsheet("Biểu đồ")
    for name, state in (("Hai", "hidden"), ("Ba", "veryHidden")):
        sheet = book.create_sheet(name)
        sheet.append([name])
        sheet.sheet_state = state
    out = io.BytesIO()
    book.save(out)
    grids = read_workbook(out.getvalue())
    assert [(g.index, g.name, g.hidden) for g in grids] == [(0, "Một", False), (1, "Hai", True), (2, "Ba", True)]
    assert cells(grids[1]) == {"A1": ("Hai", T)}


# --------------------------------------------------------------------------------------------------- bounds and damage


def test_a_far_off_cell_costs_one_cell() -> None:
    grid = read_workbook(package('<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>'))[0]
    assert grid.frame.shape == (1, 3)
    assert cells(grid) == {"XFD1048576": ("7", N)}


@pytest.mark.parametrize(
    "limits",
    [
        Limits(rows=2),
        Limits(columns=2),
        Limits(cells=8),
        Limits(unpacked_bytes=1_000),
        Limits(shared_strings=1),
    ],
)
def test_bounds(limits: Limits) -> None:
    rows = "".join(f'<row r="{n}"><c r="{letters(n)}{n}"><v>1</v></c></row>' for n in (1, 2, 3))
    data = package(rows, shared="<si><t>a</t></si>" * 2)
    assert len(read_workbook(data)) == 1
    assert code(data, limits) == "TOO_LARGE"


def test_a_bomb_is_refused_by_its_declared_size() -> None:
    bomb = package("", xl__sharedStrings_xml="", **{"xl/worksheets/mot.xml": "<!--" + " " * (40 << 20) + "-->"})
    assert len(bomb) < 1 << 20
    assert code(bomb) == "TOO_LARGE"


def test_entities_are_refused() -> None:
    sheet = (
        f'<!DOCTYPE worksheet [<!ENTITY a "1">]><worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1">'
        "<v>&a;</v></c></row></sheetData></worksheet>"
    )
    assert code(package("", **{"xl/worksheets/mot.xml": sheet})) == "DAMAGED_WORKBOOK"


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1" t="s"><v>5</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="0"><c r="A0"><v>5</v></c></row>',
        '<row r="1"><c r="XFE1"><v>5</v></c></row>',
        '<row r="1"><c r="A1" t="zz"><v>5</v></c></row>',
        '<row r="1"><c r="A1"><v>5</v></c>',
        '<row r="1"><row r="2"></row>',
        '<row r="1"><c r="A1" t="str"><v>\x01</v></c></row>',
    ],
)
def test_broken_contents_are_damage(rows: str) -> None:
    assert code(package(rows)) == "DAMAGED_WORKBOOK"


def test_an_encrypted_entry_is_a_password() -> None:
    data = bytearray(package('<row r="1"/>'))
    place = -1
    while (place := data.find(b"PK\x01\x02", place + 1)) >= 0:
        data[place + 8] |= 1
    assert code(bytes(data)) == "PASSWORD"


SOUND = package(
    '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" s="1"><v>46203</v></c></row>',
    shared="<si><t>Ngày</t></si>",
    styles=formats("14"),
)


@settings(max_examples=150)
@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255), st.integers(0, len(SOUND)))
def test_any_damage_is_read_or_refused_never_a_crash(at: int, flip: int, cut: int) -> None:
    flipped = bytearray(SOUND)
    flipped[at] ^= flip
    for data in (bytes(flipped), SOUND[:cut], SOUND[cut:]):
        assert outcome(data) in ("read", "DAMAGED_WORKBOOK", "PASSWORD", "TOO_LARGE")


def outcome(data: bytes) -> str:
    try:
        read_workbook(data)
    except Unreadable as refused:
        return refused.problem.code
    return "read"


# ----------------------------------------------------------------------------------------------------- two readers, one

VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda f: round(f, 4)),
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(microsecond=0)),
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.text(st.sampled_from("aĐừ \n&<>\"';#xX_0D\u0301"), max_size=8),
    st.sampled_from(["#REF!", "#N/A", '=A1&"<"', "_x000D_", "&amp;", "&#243;", "]]>", "]]&gt;"]),
)


def expected(value: object) -> tuple[str, int] | None:
    match value:
        case None | "":
            return None
        case bool():
            return ("true" if value else "false"), L
        case datetime():
            return value.isoformat().removesuffix("T00:00:00"), D
        case date():
            return value.isoformat(), D
        case int():
            return str(value), N
        case float():
            return (str(int(value)) if value == int(value) else format_float(value)), N
        case str() if value.startswith("#"):
            return (value, E) if value in ("#REF!", "#N/A") else (value, T)
        case str() if value.startswith("=") and len(value) > 1:
            return "", U
    return str(value), T


def format_float(value: float) -> str:
    text = repr(value)
    if "e" not in text:
        return text
    digits, exponent = text.split("e-")
    whole, _, fraction = digits.lstrip("-").partition(".")
    return "-" * (value < 0) + "0." + "0" * (int(exponent) - 1) + whole + (fraction if fraction != "0" else "")


@settings(max_examples=40)
@given(st.lists(st.lists(VALUE, max_size=5), max_size=6))
def test_what_openpyxl_writes_is_read_by_both_readers(table: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    want = {}
    for number, row in enumerate(table, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            cell.font = Font(bold=number == 2)
            if (found := expected(value)) is not None:
                want[f"{letters(column)}{number}"] = found
    out = io.BytesIO()
    book.save(out)
    grid = read_workbook(out.getvalue())[0]
    assert cells(grid) == {k: (unescaped(t), k2) for k, (t, k2) in want.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook, "_scan", unusual)
        other = read_workbook(out.getvalue())[0]
    assert other.frame.equals(grid.frame)
    assert (other.bold_rows, other.hidden_rows, other.merged) == (grid.bold_rows, grid.hidden_rows, grid.merged)


def unescaped(text: str) -> str:
    return text.replace("_x000D_", "\r")


def unusual(*_: object) -> Grid:
    raise workbook._Unusual


@needs_shared
def test_both_readers_agree_on_files_of_several_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [*(SHARED / "cases").glob("*/*.xlsx"), *(SHARED / "data/real/census2019").glob("*(District).xlsx")]
    contents = [file.read_bytes() for file in files]
    with monkeypatch.context() as patch:
        patch.setattr(workbook, "_walk", None)  # the pattern alone reads them all
        scanned = [grid for data in contents for grid in read_workbook(data)]
    monkeypatch.setattr(workbook, "_scan", unusual)
    for one, other in zip(scanned, (grid for data in contents for grid in read_workbook(data)), strict=True):
        assert one.frame.equals(other.frame)
        assert (one.merged, one.bold_rows, one.hidden_rows) == (other.merged, other.bold_rows, other.hidden_rows)


def test_random_order_of_rows_gives_the_same_grid() -> None:
    rows = [f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}" t="b"><v>1</v></c></row>' for n in range(1, 30)]
    mixed = rows[:]
    random.Random(7).shuffle(mixed)
    assert read_workbook(package("".join(mixed)))[0].frame.equals(read_workbook(package("".join(rows)))[0].frame)
