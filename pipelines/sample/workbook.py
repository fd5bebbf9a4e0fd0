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
