"""Bytes of workbooks, the same for the same content, sound ones and broken ones.

Belongs here: what openpyxl cannot do by itself (stored results of formulas, fixed dates in the package) and files that
only look like a workbook. Does not belong here: what stands in the cells.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from random import Random

import polars as pl
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font

_BOLD = Font(bold=True)
_CENTRED = Alignment(horizontal="center", vertical="center", wrap_text=True)
_FORMULA = re.compile(r'(<c r="([A-Z]+[0-9]+)"[^>]*>)(<f>[^<]*</f>)(?:<v ?/>|<v></v>)')
_STAMP = re.compile(r"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


@dataclass(frozen=True)
class Formula:
    """A formula cell; ``result`` is what the sender's program stored, or None where it stored nothing."""

    text: str
    result: int | None


Value = str | int | float | datetime | Formula | None


@dataclass
class Sheet:
    """One sheet: cells by (row, column), both from 1."""

    title: str
    cells: dict[tuple[int, int], Value] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    bold_rows: set[int] = field(default_factory=set)
    hidden: bool = False

    def put(self, row: int, column: int, *values: Value) -> None:
        """Set cells from (row, column) to the right; None leaves a cell out."""
        for offset, value in enumerate(values):
            if value is not None:
                self.cells[row, column + offset] = value


def write_workbook(sheets: list[Sheet], written: datetime) -> bytes:
    """The .xlsx bytes: a function of the sheets and of ``written``, which stands for all dates in the package."""
    book = Workbook()
    del book["Sheet"]
    results: dict[str, dict[str, int]] = {}
    for index, sheet in enumerate(sheets, 1):
        page = book.create_sheet(sheet.title)
        page.sheet_state = "hidden" if sheet.hidden else "visible"
        for (row, column), value in sheet.cells.items():
            cell = page.cell(row, column)
            assert isinstance(cell, Cell)
            if isinstance(value, Formula):
                cell.value = value.text
                if value.result is not None:
                    results.setdefault(f"xl/worksheets/sheet{index}.xml", {})[cell.coordinate] = value.result
            else:
                cell.value = value
            if row in sheet.bold_rows:
                cell.font = _BOLD
                cell.alignment = _CENTRED
        for area in sheet.merged:
            page.merge_cells(area)
    packed = BytesIO()
    book.save(packed)
    return _repack(packed, results, written)


def _repack(packed: BytesIO, results: Mapping[str, Mapping[str, int]], written: datetime) -> bytes:
    stamp = written.strftime("%Y-%m-%dT%H:%M:%SZ")
    out = BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "docProps/core.xml":
                data = _STAMP.sub(rf"\g<1>{stamp}\g<2>", data.decode()).encode()
            elif item.filename in results:
                data = _store(data.decode(), results[item.filename]).encode()
            info = zipfile.ZipInfo(item.filename, written.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, data)
    return out.getvalue()


def _store(xml: str, results: Mapping[str, int]) -> str:
    """Write the results beside the formulas: openpyxl leaves every ``<v>`` of a formula empty."""

    def with_result(match: re.Match[str]) -> str:
        start, address, formula = match.groups()
        return f"{start}{formula}<v>{results[address]}</v>" if address in results else match[0]

    return _FORMULA.sub(with_result, xml)


def broken_off(workbook: bytes) -> bytes:
    """A workbook whose transfer stopped at two thirds: the zip directory at its end is missing."""
    return workbook[: len(workbook) * 2 // 3]


def password_protected(rng: Random) -> bytes:
    """An OLE2 container such as Excel writes for a workbook with a password: EncryptionInfo and EncryptedPackage.

    Layout after [MS-CFB]: header, sector 0 the FAT, sector 1 the directory, then two streams of 8 sectors each, long
    enough (4,096 bytes) to stay out of the mini stream. The encrypted bytes are noise.
    """
    free, end, fat_sector, sectors = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 8
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    header += struct.pack("<I", free) * 108

    def chain(first: int) -> list[int]:
        return [*range(first + 1, first + sectors), end]

    fat = [fat_sector, end, *chain(2), *chain(2 + sectors)]
    table = struct.pack("<128I", *fat, *[free] * (128 - len(fat)))

    def entry(name: str, kind: int, right: int, child: int, first: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<HBBIII36xIQ", len(text) if name else 0, kind, 1, free, right, child, first, size)
        return text.ljust(64, b"\0") + links

    size = 512 * sectors
    directory = (
        entry("Root Entry", 5, free, 1, end, 0)
        + entry("EncryptionInfo", 2, 2, free, 2, size)
        + entry("EncryptedPackage", 2, free, free, 2 + sectors, size)
        + entry("", 0, free, free, 0, 0)
    )
    information = struct.pack("<HHI", 4, 4, 0x40).ljust(size, b"\0")
    return header + table + directory + information + rng.randbytes(size)


def write_table(title: str, frame: pl.DataFrame, written: datetime, name: str = "Danh sách") -> bytes:
    """The .xlsx bytes of one sheet with a title in the first row, headers in the third and the frame's rows from the fourth on:
    numbers as numbers, all else as text in its cell, as exports of systems have it. Whole columns at a time, where
    :func:`write_workbook` goes cell by cell."""
    letters = [_letters(n) for n in range(frame.width)]
    number = pl.int_range(4, pl.len() + 4).cast(pl.String)
    cells = []
    for letter, column in zip(letters, frame.columns, strict=True):
        value = pl.col(column).cast(pl.String)
        if frame.schema[column].is_numeric():
            cell = pl.format(f'<c r="{letter}{{}}"><v>{{}}</v></c>', number, value)
        else:
            form = f'<c r="{letter}{{}}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>'
            cell = pl.format(form, number, _escaped(value))
        cells.append(pl.when(value.is_null()).then(pl.lit("")).otherwise(cell))
    rows = frame.select(pl.format('<row r="{}">{}</row>', number, pl.concat_str(cells))).to_series()

    def text(row: int, texts: list[str]) -> str:
        told = pl.Series(texts).to_frame("t").select(_escaped(pl.col("t"))).to_series().to_list()
        inner = "".join(
            f'<c r="{c}{row}" t="inlineStr"><is><t>{t}</t></is></c>' for c, t in zip(letters, told, strict=False)
        )
        return f'<row r="{row}">{inner}</row>'

    sheet = "".join([
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        "<sheetData>", text(1, [title]), text(3, frame.columns), *rows, "</sheetData></worksheet>",
    ])  # fmt: skip
    parts = {
        **_PACKAGE,
        "xl/workbook.xml": _PACKAGE["xl/workbook.xml"].format(name=name),
        "xl/worksheets/sheet1.xml": sheet,
    }
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for path, xml in parts.items():
            info = zipfile.ZipInfo(path, written.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(info, xml)
    return out.getvalue()


def _letters(column: int) -> str:
    """A column's letters, from 0."""
    return (_letters(column // 26 - 1) if column > 25 else "") + chr(65 + column % 26)


def _escaped(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True).str.replace_all(
        ">", "&gt;", literal=True
    )  # fmt: skip


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PACKAGE = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>',
}
"""The parts of a package beside its sheet."""
