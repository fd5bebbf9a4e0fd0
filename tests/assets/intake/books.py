"""One small table in every form that is read, for the tests of readers: a table is a list of rows of plain values.

Here: the least that each format needs. Not here: what is right to read from it.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import xlwt

Table = Sequence[Sequence[Any]]
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
ODS_HEAD = " ".join(
    f'xmlns:{prefix}="{OFFICE}{name}:1.0"'
    for prefix, name in {
        "office": "office", "table": "table", "text": "text", "style": "style", "number": "datastyle",
        "fo": "xsl-fo-compatible",
    }.items()
) + ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'  # fmt: skip
SS = "urn:schemas-microsoft-com:office:spreadsheet"


def plain(value: Any) -> str:
    """A value as a CSV prints it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case float() if value == int(value):
            return str(int(value))
    return str(value)


def xlsx(table: Table) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for number, row in enumerate(table, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            cell.data_type = "s" if isinstance(value, str) else cell.data_type
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(table: Table) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Thôn")
    day = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for number, row in enumerate(table):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value, *([day] if isinstance(value, date) else []))
    return saved(book)


def saved(book: xlwt.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(**parts: str | bytes) -> bytes:
    """A zip; '__' in a name stands for '/'."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            how = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            package.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), text, how)
    return out.getvalue()


def ods_document(rows: str, styles: str = "", columns: str = "", more: str = "", attributes: str = "") -> str:
    """``content.xml`` of one sheet from the inside of its table."""
    return (
        f"<office:document-content {ODS_HEAD}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f'<office:spreadsheet><table:table table:name="Thôn" {attributes}>{columns}{rows}</table:table>{more}'
        "</office:spreadsheet></office:body></office:document-content>"
    )


def ods_package(content: str, **parts: str) -> bytes:
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{mime}"/></manifest:manifest>'
    )
    return zipped(mimetype=mime, content_xml=content, **{"META-INF/manifest_xml": manifest, **parts})


def ods(table: Table) -> bytes:
    def cell(value: Any) -> str:
        match value:
            case None:
                return "<table:table-cell/>"
            case bool():
                stored = f'office:value-type="boolean" office:boolean-value="{plain(value)}"'
            case date():
                stored = f'office:value-type="date" office:date-value="{value.isoformat()}"'
            case int() | float():
                stored = f'office:value-type="float" office:value="{value!r}"'
            case _:
                stored = 'office:value-type="string"'
        return f"<table:table-cell {stored}><text:p>{escape(plain(value))}</text:p></table:table-cell>"

    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in table)
    return ods_package(ods_document(rows))


def xml_sheet(rows: str, styles: str = "", after: str = "", name: str = "Thôn") -> bytes:
    return (
        f'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="{SS}" xmlns:ss="{SS}" '
        f'xmlns:x="urn:schemas-microsoft-com:office:excel"><Styles>{styles}</Styles><Worksheet ss:Name={quoteattr(name)}>'
        f"<Table>{rows}</Table>{after}</Worksheet></Workbook>"
    ).encode()


def xml_2003(table: Table) -> bytes:
    def cell(value: Any) -> str:
        match value:
            case None:
                return "<Cell/>"
            case bool():
                kind, text = "Boolean", str(int(value))
            case date():
                kind, text = "DateTime", f"{value.isoformat()}T00:00:00.000"
            case int() | float():
                kind, text = "Number", repr(value)
            case _:
                kind, text = "String", escape(value)
        return f'<Cell><Data ss:Type="{kind}">{text}</Data></Cell>'

    return xml_sheet("".join(f"<Row>{''.join(map(cell, row))}</Row>" for row in table))


def record(number: int, body: bytes = b"") -> bytes:
    """A record of the binary package (xlsb)."""
    head = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
    size, length = b"", len(body)
    while length > 127:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return head + size + bytes([length]) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def xlsb_package(
    sheet: bytes, book: bytes = b"", styles: bytes = b"", shared: bytes = b"", state: int = 0, count: int = 0
) -> bytes:
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="{i}" Type="{kinds}/{kind}" Target="{target}"/>'
        for i, kind, target in (
            ("r1", "worksheet", "worksheets/sheet1.bin"),
            ("r2", "styles", "styles.bin"),
            ("r3", "sharedStrings", "sharedStrings.bin"),
        )
    )
    rels = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>'
    bundle = record(156, struct.pack("<II", state, 1) + wide("r1") + wide("Thôn"))
    return zipped(
        xl__workbook_bin=record(131) + book + record(143) + bundle + record(144) + record(132),
        **{"xl/_rels/workbook.bin.rels": rels},
        xl__worksheets__sheet1_bin=record(129) + record(145) + sheet + record(146) + record(130),
        xl__styles_bin=record(278) + styles + record(279),
        xl__sharedStrings_bin=record(159, struct.pack("<II", count, count)) + shared + record(160),
    )


def xlsb_row(number: int, *cells: bytes, hidden: bool = False) -> bytes:
    """A row counted from 1."""
    return record(0, struct.pack("<IIHBBB", number - 1, 0, 300, 0, 0x10 if hidden else 0, 0) + bytes(4)) + b"".join(
        cells
    )


def xlsb_cell(number: int, column: int, value: bytes, style: int = 0) -> bytes:
    """A cell's record; its column counts from 1."""
    return record(number, struct.pack("<II", column - 1, style) + value)


def xlsb(table: Table) -> bytes:
    epoch = date(1899, 12, 30)
    styles = record(617) + record(47, struct.pack("<HHH10x", 0xFFFF, 0, 0)) + record(
        47, struct.pack("<HHH10x", 0, 14, 0)
    )  # fmt: skip

    def cell(column: int, value: Any) -> bytes:
        match value:
            case None:
                return xlsb_cell(1, column, b"")
            case bool():
                return xlsb_cell(4, column, bytes([value]))
            case date():
                return xlsb_cell(5, column, struct.pack("<d", (value - epoch).days), 1)
            case int() | float():
                return xlsb_cell(5, column, struct.pack("<d", value))
        return xlsb_cell(6, column, wide(value))

    rows = (xlsb_row(n, *(cell(c, v) for c, v in enumerate(row, 1))) for n, row in enumerate(table, 1))
    return xlsb_package(b"".join(rows), styles=styles + record(618))


def text_csv(table: Table) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([list(map(plain, row)) for row in table])
    return out.getvalue().encode()


def html(table: Table) -> bytes:
    rows = "".join("<tr>" + "".join(f"<td>{escape(plain(v))}</td>" for v in row) + "</tr>\n" for row in table)
    return f"<html><head><meta charset=utf-8></head><body><table>{rows}</table></body></html>".encode()


def json_lists(table: Table) -> bytes:
    return json.dumps([[v.isoformat() if isinstance(v, date) else v for v in row] for row in table]).encode()


def json_records(table: Table) -> bytes:
    """The first row holds the keys."""
    keys = [plain(v) for v in table[0]]
    return json.dumps(
        [dict(zip(keys, (v.isoformat() if isinstance(v, date) else v for v in row), strict=True)) for row in table[1:]]
    ).encode()
