"""A workbook made anew from the sheets of a delivery that is no package to patch: CSV, old formats, pages, extracts.

Here: every cell at the address that the answer speaks of, as text, number, date, yes or no, or error; nothing that a spreadsheet
would run. Not here: what is said about it (:mod:`.package` marks it like any other workbook).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape, quoteattr

import polars as pl

from schemas.grid import KIND, Grid, Kind
from schemas.text import FORMULA_SIGNS

from .package import MAIN, PACKAGE_RELATIONS, SHEET_TYPE, TYPES
from .page import clear
from .sheet_patch import RELATIONS

ROWS = 100_000
"""Rows of a sheet up to which a workbook is made. None is made with some of them: sent back, it would say that the others ended."""
_TEXT, _SIGNED, _DATE, _TIME = 1, 2, 3, 4
_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Arial"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?")


def made(grids: Sequence[Grid]) -> bytes:
    """The workbook, with every row of each sheet."""
    out = io.BytesIO()
    names: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:

        def write(name: str, text: str) -> None:
            package.writestr(zipfile.ZipInfo(name), text.encode(), zipfile.ZIP_DEFLATED)

        for number, grid in enumerate(grids):
            write(f"xl/worksheets/sheet{number + 1}.xml", _sheet(grid.frame))
            names.append(_named(grid.name or "Dữ liệu", names))
        count = range(1, len(names) + 1)
        sheets = "".join(f'<sheet name={quoteattr(names[n - 1])} sheetId="{n}" r:id="rId{n}"/>' for n in count)
        write("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>')
        parts = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in count]
        parts.append((f"rId{len(names) + 1}", "styles", "styles.xml"))
        write("xl/_rels/workbook.xml.rels", _relations(parts))
        write("_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.xml")]))
        write("xl/styles.xml", _STYLES)
        kinds = "".join(
            f'<Override PartName="/xl/{part}" ContentType="{SHEET_TYPE}{kind}+xml"/>'
            for part, kind in [
                *((f"worksheets/sheet{n}.xml", "worksheet") for n in count),
                ("styles.xml", "styles"),
                ("workbook.xml", "sheet.main"),
            ]
        )
        relations = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        write("[Content_Types].xml", f'<Types xmlns="{TYPES}">{relations}{kinds}</Types>')
    return out.getvalue()


def _relations(parts: Sequence[tuple[str, str, str]]) -> str:
    found = "".join(f'<Relationship Id="{n}" Type="{RELATIONS}/{kind}" Target="{part}"/>' for n, kind, part in parts)
    return f'<Relationships xmlns="{PACKAGE_RELATIONS}">{found}</Relationships>'


def _named(name: str, taken: Sequence[str]) -> str:
    """A name that a sheet may have: 31 characters, none of []:*?/\\, no apostrophe at its ends, nobody else's."""
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", clear(name)).strip("' ")[:31] or "_"
    found, n = plain, 2
    while found.casefold() in {t.casefold() for t in taken}:
        tail = f" ({n})"
        found, n = plain[: 31 - len(tail)] + tail, n + 1
    return found


def _sheet(frame: pl.DataFrame) -> str:
    columns = [c for c in frame.columns if c != "_row" and not c.endswith(KIND)]
    rows = []
    texts = [zip(frame[c].to_list(), frame[c + KIND].to_list(), strict=True) for c in columns]
    for number, *cells in zip(frame["_row"].to_list(), *texts, strict=True):
        filled = "".join(_cell(f"{c}{number}", *cell) for c, cell in zip(columns, cells, strict=True) if cell[0])
        rows.append(f'<row r="{number}">{filled}</row>')
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def _cell(place: str, text: str, kind: int) -> str:
    if kind == Kind.NUMBER and _NUMBER.fullmatch(text):
        return f'<c r="{place}"><v>{text}</v></c>'
    if kind == Kind.DATE and (serial := _serial(text)) is not None:
        return f'<c r="{place}" s="{_TIME if serial % 1 else _DATE}"><v>{serial:.10g}</v></c>'
    if kind == Kind.BOOLEAN:
        return f'<c r="{place}" t="b"><v>{int(text == "true")}</v></c>'
    if kind == Kind.ERROR and re.fullmatch(r"#[A-Z/0]+[!?]?", text):
        return f'<c r="{place}" t="e"><v>{escape(text)}</v></c>'
    style = _SIGNED if text.startswith(FORMULA_SIGNS) else _TEXT
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(_spelt(clear(text)))}</t></is></c>'


def _spelt(text: str) -> str:
    """``_x0041_`` as it stands: a program would read a letter."""
    return re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)


def _serial(text: str) -> float | None:
    """Days since 30 December 1899; None before March 1900, where programs count differently."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    days = (moment.date() - date(1899, 12, 30)).days
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return days + seconds / 86_400 if days > 60 else None
