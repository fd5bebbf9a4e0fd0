"""Bytes of an "XML Spreadsheet 2003" (SpreadsheetML, the form that much older software exports as .xls) -> grids.

Here: its rows, styles and stored values. Not here: number formats (:mod:`.workbook`, the same as in .xlsx).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from lxml import etree

from schemas import messages
from schemas.grid import Grid, Kind, Unreadable

from .cells import Cells, with_names_in_unicode
from .encodings import font_encoding
from .limits import Limits
from .workbook import Format, format_number, iso_text, read_format, refuse_doctype, shortest, xml_parser

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_X = "{urn:schemas-microsoft-com:office:excel}"
_Look = tuple[Format | None, bool, str | None]
"""Number format, boldness, the legacy encoding that the font shows."""
_PLAIN: _Look = (None, False, None)
_NAMED_FORMATS = {"Short Date": "d/m/yyyy", "Short Time": "h:mm", "Long Time": "h:mm:ss", "Medium Time": "h:mm"}


def read_xmlsheet(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """All worksheets in their order, hidden ones too.

    A grid is as :func:`.workbook.read_workbook` makes it, except that rows without content are absent. The format writes
    dates as such, whatever the day zero.

    Raises :class:`Unreadable`: DAMAGED_WORKBOOK, TOO_LARGE (``limit``).
    """
    limits = limits or Limits()
    if len(data) > limits.tree_bytes:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "xml_mb", n=limits.tree_bytes >> 20))
    try:
        # some programs leave empty lines before the declaration, which XML forbids
        root = etree.fromstring(data if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data.lstrip(), xml_parser())
        refuse_doctype(root)
        looks = _looks(root)
        met: set[str] = set()
        grids = [
            _sheet(sheet, looks, Cells(limits, met)).grid(sheet.get(f"{_SS}Name", ""), index, hidden=_is_hidden(sheet))
            for index, sheet in enumerate(root.iterfind(f"{_SS}Worksheet"))
        ]
        return with_names_in_unicode(grids, met)
    except (etree.XMLSyntaxError, LookupError, ValueError, ArithmeticError, RecursionError) as error:
        # The text of the error may hold cell values: not kept.
        raise Unreadable("DAMAGED_WORKBOOK") from error


def _looks(root: Any) -> dict[str, _Look]:
    """Style id -> look, with what a parent style says."""
    looks: dict[str, _Look] = {}
    for style in root.iterfind(f"{_SS}Styles/{_SS}Style"):
        form, bold, encoding = looks.get(style.get(f"{_SS}Parent", "Default"), _PLAIN)
        for number in style.iterfind(f"{_SS}NumberFormat"):
            code = number.get(f"{_SS}Format", "General")
            form = read_format(_NAMED_FORMATS.get(code, code))
        for font in style.iterfind(f"{_SS}Font"):
            bold = font.get(f"{_SS}Bold", "0") == "1"
            if (name := font.get(f"{_SS}FontName")) is not None:
                encoding = font_encoding(name)
        looks[style.get(f"{_SS}ID", "")] = (form, bold, encoding)
    return looks


def _is_hidden(sheet: Any) -> bool:
    return str(sheet.findtext(f"{_X}WorksheetOptions/{_X}Visible", "")).startswith("Sheet")


def _sheet(sheet: Any, looks: dict[str, _Look], cells: Cells) -> Cells:
    row = 0
    for line in sheet.iterfind(f"{_SS}Table/{_SS}Row"):
        row = _index(line, row)
        if line.get(f"{_SS}Hidden") == "1":
            cells.hidden.add(row)
        column = 0
        for cell in line.iterfind(f"{_SS}Cell"):
            column = _index(cell, column)
            style = cell.get(f"{_SS}StyleID") or line.get(f"{_SS}StyleID") or "Default"
            form, bold, encoding = looks.get(style, _PLAIN)
            text, kind = _value(cell, form)
            cells.put(row, column, text, int(kind), bold, font=encoding if kind == Kind.TEXT else None)
            across, down = int(cell.get(f"{_SS}MergeAcross", "0")), int(cell.get(f"{_SS}MergeDown", "0"))
            cells.merge([(row, column, row + down, column + across)])
            column += across
        row += int(line.get(f"{_SS}Span", "0"))  # rows of the same look, without cells
    return cells


def _index(element: Any, before: int) -> int:
    number = int(element.get(f"{_SS}Index", before + 1))
    if number < 1:
        raise ValueError("index")
    return number


def _value(cell: Any, form: Format | None) -> tuple[str, Kind]:
    """Text and kind of a cell as stored."""
    data = cell.find(f"{_SS}Data")
    if data is None:
        return "", Kind.UNCALCULATED if f"{_SS}Formula" in cell.attrib else Kind.BLANK
    text = "".join(data.itertext())
    kind = data.get(f"{_SS}Type", "String")
    if kind == "Number":
        number = shortest(text)
        if number is None or form is None:
            return (number, Kind.NUMBER) if number is not None else (text, Kind.TEXT)
        return format_number(text, form, False)
    if kind == "DateTime":
        return _moment(text, form)
    if kind == "Boolean":
        return ("true" if text.strip() in ("1", "true") else "false"), Kind.BOOLEAN
    if kind == "Error":
        return text.strip(), Kind.ERROR
    return text, Kind.TEXT if text else Kind.BLANK


def _moment(text: str, form: Format | None) -> tuple[str, Kind]:
    """'2026-06-30T00:00:00.000'; a time of day is on the day zero (31 December 1899, or 1 January 1904)."""
    try:
        moment = datetime.fromisoformat(re.sub(r"Z$", "", text.strip()))
    except ValueError:
        return text, Kind.TEXT
    if moment.year < 1900 or (form is not None and form.time and not form.date and moment.year in (1900, 1904)):
        return moment.strftime("%H:%M:%S"), Kind.TEXT
    return iso_text(moment.replace(tzinfo=None)), Kind.DATE
