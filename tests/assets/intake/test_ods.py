"""Reading .ods bytes: kinds of cells, repetitions, styles, what is hidden, bombs and damage."""

from __future__ import annotations

import pytest

from assets.intake.ods import read_ods
from assets.intake.workbook import Limits
from schemas.grid import Grid, Kind, Unreadable

from .books import ODS_HEAD, ods_document, ods_package
from .test_readers import cells

B, T, N, D, L, E, U, *_ = (int(k) for k in Kind)


def row(*content: str, **attributes: str) -> str:
    said = " ".join(f'table:{k.replace("_", "-")}="{v}"' for k, v in attributes.items())
    return f"<table:table-row {said}>{''.join(content)}</table:table-row>"


def cell(text: str = "", kind: str = "string", stored: str = "", **table: str) -> str:
    said = " ".join(f'table:{k.replace("_", "-")}="{v}"' for k, v in table.items())
    shown = f"<text:p>{text}</text:p>" if text else ""
    return f'<table:table-cell office:value-type="{kind}" {stored} {said}>{shown}</table:table-cell>'


def number(value: str, **table: str) -> str:
    return cell("?", "float", f'office:value="{value}"', **table)


def read(rows: str, limits: Limits | None = None, **more: str) -> Grid:
    return read_ods(ods_package(ods_document(rows, **more)), limits)[0]


def code(rows: str, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read(rows, limits)
    return caught.value.problem.code


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (cell("Nà Lụa"), ("Nà Lụa", T)),
        (cell("a</text:p><text:p>b"), ("a\nb", T)),
        (cell('a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d'), ("a   b\tc\nd", T)),
        (cell("<text:span>Nà</text:span> <text:a>Lụa</text:a>"), ("Nà Lụa", T)),
        (number("488"), ("488", N)),
        (number("1.5E3"), ("1500", N)),
        (cell("50%", "percentage", 'office:value="0.5"'), ("0.5", N)),
        (cell("5 đ", "currency", 'office:value="5" office:currency="VND"'), ("5", N)),
        (cell("?", "date", 'office:date-value="2026-06-30"'), ("2026-06-30", D)),
        (cell("?", "date", 'office:date-value="2026-06-30T08:05:00.000000000"'), ("2026-06-30T08:05:00", D)),
        (cell("?", "time", 'office:time-value="PT26H05M00S"'), ("26:05:00", T)),
        (cell("?", "boolean", 'office:boolean-value="true"'), ("true", L)),
        (cell("#REF!", "string", 'office:string-value="" calcext:value-type="error"'), ("#REF!", E)),
        (cell("#DIV/0!", "float", 'office:value="0"', formula="of:=1/0"), ("#DIV/0!", E)),
        (cell("Err:502", "string", formula="of:=X()"), ("Err:502", E)),
        (cell("#REF!"), ("#REF!", T)),  # typed, not calculated
        ('<table:table-cell table:formula="of:=[.A1]"/>', ("", U)),
        (cell("", "float", formula="of:=[.A1]"), ("", U)),
        (cell("", "string", formula="of:=&quot;&quot;"), None),
        ("<table:table-cell><office:annotation><text:p>ghi chú</text:p></office:annotation></table:table-cell>", None),
        (cell("x</text:p><office:annotation><text:p>ghi chú</text:p></office:annotation><text:p>y"), ("x\ny", T)),
        (
            "<table:covered-table-cell office:value-type='string'><text:p>che</text:p></table:covered-table-cell>",
            ("che", T),
        ),
    ],
)
def test_each_kind_of_cell(written: str, expected: tuple[str, int] | None) -> None:
    assert cells(read(row(written))) == ({} if expected is None else {"A1": expected})


def test_repetitions_count_and_empty_ones_cost_nothing() -> None:
    grid = read(
        row(
            cell("a", number_columns_repeated="2"),
            "<table:table-cell table:number-columns-repeated='16381'/>",
            number("1"),
        )
        + row("<table:table-cell table:number-columns-repeated='16384'/>", number_rows_repeated="1000000")
        + row(cell("b"), number_rows_repeated="3")
        + row("<table:table-cell table:number-columns-repeated='16384'/>", number_rows_repeated="48572")
    )
    assert grid.frame["_row"].to_list() == [1, 1_000_002, 1_000_003, 1_000_004]
    assert cells(grid) == {
        "A1": ("a", T), "B1": ("a", T), "XFD1": ("1", N), **{f"A{n}": ("b", T) for n in (1_000_002, 1_000_003, 1_000_004)}
    }  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        row(cell("a", number_columns_repeated="16384"), number_rows_repeated="1048576"),
        row(cell("a" * 1_000, number_columns_repeated="9"), number_rows_repeated="1000000"),
        row(number_rows_repeated="2000000000") + row(cell("a")),
        row(cell('<text:s text:c="2000000000"/>')),
    ],
)
def test_bombs_are_refused(rows: str) -> None:
    assert code(rows) == "TOO_LARGE"


STYLES = (
    '<number:number-style style:name="N5"><number:number number:decimal-places="0" number:min-integer-digits="5"/>'
    '</number:number-style><number:number-style style:name="N1"><number:number number:min-integer-digits="1"/>'
    '</number:number-style><style:style style:name="ma" style:family="table-cell" style:data-style-name="N5"/>'
    '<style:style style:name="con" style:family="table-cell" style:parent-style-name="ma">'
    '<style:text-properties fo:font-weight="bold"/></style:style>'
    '<style:style style:name="so" style:family="table-cell" style:data-style-name="N1"/>'
    '<style:style style:name="an" style:family="table"><style:table-properties table:display="false"/></style:style>'
)


def test_padded_numbers_by_the_style_of_cell_row_or_column() -> None:
    columns = '<table:table-column/><table:table-column table:default-cell-style-name="ma" table:number-columns-repeated="2"/>'
    grid = read(
        row(number("123"), number("123"), number("123", style_name="so"), number("1.5"))
        + row(number("7", style_name="con"), default_cell_style_name="ma"),
        styles=STYLES,
        columns=columns,
    )
    assert {k: v for k, (v, _) in cells(grid).items()} == {
        "A1": "123", "B1": "00123", "C1": "123", "D1": "1.5", "A2": "00007"
    }  # fmt: skip
    assert grid.bold_rows == {2}


def test_hidden_rows_sheets_and_merged_ranges() -> None:
    rows = row(cell("Tên", number_columns_spanned="2", number_rows_spanned="2"), "<table:covered-table-cell/>")
    rows += row(cell("lọc"), visibility="filter") + row(cell("gập"), visibility="collapse")
    rows += (
        f"<table:table-row-group table:display='false'>{row(cell('nhóm'))}</table:table-row-group>{row(cell('hiện'))}"
    )
    more = f'<table:table table:name="Ẩn" table:style-name="an">{row(cell("x"))}</table:table>'
    first, second = read_ods(ods_package(ods_document(rows, styles=STYLES, more=more)))
    assert (first.merged, first.hidden_rows) == (((1, 1, 2, 2),), (2, 3, 4))
    assert [(g.name, g.index, g.hidden) for g in (first, second)] == [("Thôn", 0, False), ("Ẩn", 1, True)]


def test_copies_of_other_documents_are_no_sheets() -> None:
    link = f"<table:dde-links><table:table table:name='chép'>{row(cell('cũ'))}</table:table></table:dde-links>"
    assert [g.name for g in read_ods(ods_package(ods_document(row(cell("x")), more=link)))] == ["Thôn"]


def test_the_flat_form() -> None:
    flat = ods_document(row(cell("Nà Lụa"))).replace("office:document-content", "office:document")
    (grid,) = read_ods(f'<?xml version="1.0" encoding="UTF-8"?>\n{flat}'.encode())
    assert cells(grid) == {"A1": ("Nà Lụa", T)}


def test_a_password() -> None:
    manifest = "<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"
    with pytest.raises(Unreadable, match="PASSWORD"):
        read_ods(ods_package("\x17\x03 no xml", **{"META-INF/manifest_xml": manifest}))


@pytest.mark.parametrize(
    "content",
    [
        ods_document(row(cell("x")))[:-40],
        ods_document(row(cell("x", number_columns_repeated="-1"))),
        ods_document(row(cell("x", "màu"))),
        f'<!DOCTYPE a [<!ENTITY b "c">]><office:document-content {ODS_HEAD}/>',
    ],
)
def test_damage(content: str) -> None:
    with pytest.raises(Unreadable, match="DAMAGED_WORKBOOK"):
        read_ods(ods_package(content))
