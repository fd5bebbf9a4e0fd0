"""Bytes of an .ods spreadsheet (OpenDocument), packed or flat (.fods) -> grids, faithful to what the file stores.

Here: ``content.xml`` with its repeated rows and columns, styles and stored results (OpenDocument 1.3, part 3). Not here:
the package's bounds (:mod:`.workbook`), formulas (only their stored results are read).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from lxml import etree

from schemas import messages
from schemas.grid import Grid, Kind, Unreadable

from .cells import Cells, with_names_in_unicode
from .encodings import font_encoding
from .limits import Limits
from .workbook import BROKEN_PACKAGE, Format, Package, format_number, refuse_doctype, shortest, stored_date

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _TABLE, _TEXT_NS, _STYLE, _NUMBER_NS, _FO = (
    f"{{{_OASIS}{name}:1.0}}" for name in ("office", "table", "text", "style", "datastyle", "xsl-fo-compatible")
)
_CALCEXT = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_ERROR = re.compile(r"#(?:REF!|DIV/0!|N/A|NAME\?|NULL!|NUM!|VALUE!)|Err:\d{3}")
_DURATION = re.compile(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d*)?S)?")
_SPACES_MAX = 1_000


def read_ods(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """All sheets in their order, hidden ones too.

    A grid is as :func:`.workbook.read_workbook` makes it, except that rows without content are absent. Dates are absolute
    in this format, whatever the document's day zero; a percentage is its number (0.5), as in a workbook. Texts of notes on
    cells are no content.

    Raises :class:`Unreadable`: DAMAGED_WORKBOOK, PASSWORD, TOO_LARGE (``limit``).
    """
    limits = limits or Limits()
    try:
        if not data.startswith(b"PK"):
            if len(data) > limits.tree_bytes:
                raise Unreadable("TOO_LARGE", limit=messages.text("limit", "xml_part_mb", n=limits.tree_bytes >> 20))
            flat = _Content(limits)
            return with_names_in_unicode(list(flat.grids(io.BytesIO(data))), flat.met)
        package = Package(data, limits)
        manifest = "META-INF/manifest.xml"
        if manifest.lower() in package.parts and b"encryption-data" in package.read(manifest):
            raise Unreadable("PASSWORD")
        content = _Content(limits)
        if "styles.xml" in package.parts:
            content.learn(package.tree("styles.xml"))
        with package.open("content.xml") as stream:
            return with_names_in_unicode(list(content.grids(stream)), content.met)
    except BROKEN_PACKAGE as error:
        # The text of the error may hold cell values: not kept.
        raise Unreadable("DAMAGED_WORKBOOK") from error


@dataclass(frozen=True)
class _StyleOf:
    """What a style says itself; None: what its parent says."""

    parent: str | None
    data: str | None
    bold: bool | None
    font: str | None
    hidden: bool


@dataclass(frozen=True)
class _Look:
    """What a cell style comes to: padding, boldness, and the legacy encoding that its font shows."""

    format: Format | None
    bold: bool
    encoding: str | None


class _Content:
    """The parts of a document, read element by element."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.styles: dict[str, _StyleOf] = {}
        self.widths: dict[str, int] = {}
        self.looks: dict[str, _Look] = {}
        self.met: set[str] = set()
        """Legacy encodings that were found in cells."""

    def learn(self, root: Any) -> None:
        """The styles of a whole part."""
        for element in root.iter(f"{_STYLE}style", f"{_NUMBER_NS}number-style"):
            self._style(element)

    def _style(self, element: Any) -> None:
        name = element.get(f"{_STYLE}name", "")
        if element.tag == f"{_NUMBER_NS}number-style":
            parts = [e for e in element if e.tag.startswith(_NUMBER_NS)]
            if len(parts) == 1 and parts[0].tag == f"{_NUMBER_NS}number":
                width = int(parts[0].get(f"{_NUMBER_NS}min-integer-digits", "1"))
                plain = parts[0].get(f"{_NUMBER_NS}decimal-places", "0") == "0"
                if 2 <= width <= 32 and plain and parts[0].get(f"{_NUMBER_NS}grouping") != "true":
                    self.widths[name] = width
            return
        bold: bool | None = None
        font: str | None = None
        for text in element.iterfind(f"{_STYLE}text-properties"):
            weight = text.get(f"{_FO}font-weight")
            bold = bold if weight is None else weight == "bold" or (weight.isdecimal() and int(weight) >= 600)
            font = text.get(f"{_STYLE}font-name") or text.get(f"{_FO}font-family") or font
        shown = [t.get(f"{_TABLE}display") for t in element.iterfind(f"{_STYLE}table-properties")]
        family = element.get(f"{_STYLE}family", "")
        self.styles[f"{family} {name}"] = _StyleOf(
            element.get(f"{_STYLE}parent-style-name"),
            element.get(f"{_STYLE}data-style-name"),
            bold,
            font,
            "false" in shown,
        )

    def _look(self, name: str) -> _Look:
        """What a cell style comes to, its parents asked for what it does not say."""
        if name not in self.looks:
            data: str | None = None
            bold: bool | None = None
            font: str | None = None
            at: str | None = name
            for _ in range(32):
                style = self.styles.get(f"table-cell {at}")
                if style is None:
                    break
                data = style.data if data is None else data
                bold = style.bold if bold is None else bold
                font = font or style.font
                at = style.parent
            width = self.widths.get(data or "", 0)
            encoding = font_encoding(font.strip("'")) if font else None
            self.looks[name] = _Look(Format(width=width) if width else None, bool(bold), encoding)
        return self.looks[name]

    def grids(self, stream: IO[bytes]) -> Iterator[Grid]:
        tags = [f"{_TABLE}{n}" for n in ("table", "table-row", "table-column", "table-row-group")]
        tags += [f"{_STYLE}style", f"{_NUMBER_NS}number-style"]
        context = etree.iterparse(
            stream, events=("start", "end"), tag=tags, resolve_entities=False, no_network=True, remove_comments=True,
            remove_pis=True,
        )  # fmt: skip
        index = 0
        sheet: _Sheet | None = None
        table: Any = None
        closed = 0  # groups of rows that are folded up
        for event, element in context:
            name = element.tag.rsplit("}", 1)[-1]
            if event == "start":
                # tables elsewhere (links to other documents) are copies of what they point to
                if name == "table" and table is None and element.getparent().tag == f"{_OFFICE}spreadsheet":
                    table, sheet, closed = element, _Sheet(self._look, self.limits, self.met), 0
                elif name == "table-row-group" and element.get(f"{_TABLE}display") == "false":
                    closed += 1
                continue
            if name in ("style", "number-style"):
                self._style(element)
            elif name == "table-row-group":
                closed -= element.get(f"{_TABLE}display") == "false"
            elif element is table and sheet is not None:
                style = self.styles.get(f"table {element.get(f'{_TABLE}style-name')}")
                yield sheet.cells.grid(element.get(f"{_TABLE}name", ""), index, hidden=bool(style and style.hidden))
                index += 1
                table = sheet = None
                element.clear()
            elif sheet is not None and name == "table-column":
                sheet.column(element)
            elif sheet is not None and name == "table-row" and _owner(element) is table:
                sheet.row(element, hidden=closed > 0)
                element.clear()
                if (before := element.getprevious()) is not None:
                    element.getparent().remove(before)
        refuse_doctype(context.root)


def _owner(element: Any) -> Any:
    return next(element.iterancestors(f"{_TABLE}table"), None)


class _Sheet:
    """The rows of one sheet."""

    def __init__(self, look: Callable[[str], _Look], limits: Limits, met: set[str]) -> None:
        self.look = look
        self.cells = Cells(limits, met)
        self.next_row = 1
        self.defaults: list[str] = []

    def column(self, element: Any) -> None:
        """A column's style holds for its cells that name none."""
        times = min(_times(element, "columns"), 16_384 - len(self.defaults))
        self.defaults += [element.get(f"{_TABLE}default-cell-style-name", "")] * times

    def row(self, element: Any, hidden: bool) -> None:
        """A row, or as many of one content as it says."""
        row, times = self.next_row, _times(element, "rows")
        self.next_row += times
        hidden = hidden or element.get(f"{_TABLE}visibility", "visible") != "visible"
        row_style = element.get(f"{_TABLE}default-cell-style-name")
        column = 1
        for cell in element:
            if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                continue
            repeat = _times(cell, "columns")
            own = cell.get(f"{_TABLE}style-name") or row_style
            if len(cell) or cell.attrib:
                self._cell(cell, row, times, column, repeat, own, hidden)
            column += repeat

    def _cell(self, cell: Any, row: int, times: int, column: int, repeat: int, own: str | None, hidden: bool) -> None:
        down, across = (int(cell.get(f"{_TABLE}number-{n}-spanned", "1")) for n in ("rows", "columns"))
        if down > 1 or across > 1:
            self.cells.merge([(row, column, row + down - 1, column + across - 1)])
        text, kind = _value(cell)
        if kind == Kind.BLANK:
            return
        self.cells.expect(repeat * times)
        for at in range(column, column + repeat):
            style = own or (self.defaults[at - 1] if at <= len(self.defaults) else "")
            look = self.look(style)
            padded = format_number(text, look.format, False)[0] if look.format and kind == Kind.NUMBER else text
            font = look.encoding if kind == Kind.TEXT else None
            self.cells.put(row, at, padded, int(kind), look.bold, times, font)
        if hidden:
            self.cells.hidden.update(range(row, row + times))


def _times(element: Any, what: str) -> int:
    times = int(element.get(f"{_TABLE}number-{what}-repeated", "1"))
    if times < 1:
        raise ValueError("repetition")
    return times


def _value(cell: Any) -> tuple[str, Kind]:
    """Text and kind of a cell as stored."""
    formula = f"{_TABLE}formula" in cell.attrib
    kind = cell.get(f"{_OFFICE}value-type") or cell.get(f"{_CALCEXT}value-type")
    shown = "\n".join(_flow(p) for p in cell if p.tag == f"{_TEXT_NS}p")
    # A result in error is stored as the empty text or as 0, and told by what is shown.
    if cell.get(f"{_CALCEXT}value-type") == "error" or (formula and _ERROR.fullmatch(shown)):
        return shown or "#VALUE!", Kind.ERROR
    if kind is None:
        if formula and not shown:
            return "", Kind.UNCALCULATED
        return shown, Kind.TEXT if shown else Kind.BLANK
    if kind in ("float", "percentage", "currency"):
        stored = cell.get(f"{_OFFICE}value", "")
        number = shortest(stored)
        if number is not None:
            return number, Kind.NUMBER
        return (stored, Kind.TEXT) if stored else ("", Kind.UNCALCULATED if formula else Kind.BLANK)
    if kind == "date":
        return stored_date(cell.get(f"{_OFFICE}date-value", ""))
    if kind == "time":
        return _clock(cell.get(f"{_OFFICE}time-value", "")), Kind.TEXT
    if kind == "boolean":
        return ("true" if cell.get(f"{_OFFICE}boolean-value") == "true" else "false"), Kind.BOOLEAN
    if kind == "string":
        text = cell.get(f"{_OFFICE}string-value", shown)
        return text, Kind.TEXT if text else Kind.BLANK
    raise ValueError("value type")


def _clock(duration: str) -> str:
    """'PT08H30M00S' -> '08:30:00'."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return duration
    days, hours, minutes, seconds = (int(n or 0) for n in found.groups())
    return f"{days * 24 + hours:02d}:{minutes:02d}:{seconds:02d}"


def _flow(element: Any) -> str:
    """The text of a paragraph or span; notes in it are no content."""
    parts = [element.text or ""]
    for child in element:
        name = child.tag
        if name == f"{_TEXT_NS}s":
            spaces = int(child.get(f"{_TEXT_NS}c", "1"))
            if not 0 <= spaces <= _SPACES_MAX:
                raise Unreadable("TOO_LARGE", limit=messages.text("limit", "spaces", n=_SPACES_MAX))
            parts.append(" " * spaces)
        elif name == f"{_TEXT_NS}tab":
            parts.append("\t")
        elif name == f"{_TEXT_NS}line-break":
            parts.append("\n")
        elif name.startswith(_TEXT_NS) and not name.endswith(("}note", "}ruby-text")):
            parts.append(_flow(child))
        parts.append(child.tail or "")
    return "".join(parts)
