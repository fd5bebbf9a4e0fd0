"""Tables of an HTML page -> grids: pages saved or produced under the name of a workbook, web archives (MHTML) too.

Here: encoding, tables with their spans, the values and number formats that Excel leaves in its own pages. Not here: which
file is a page (:mod:`.sniff`); a cell without such a value is a text, as in a CSV.
"""

from __future__ import annotations

import codecs
import email
import email.errors
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from schemas import messages
from schemas.grid import Grid, Kind, Unreadable

from .cells import Cells
from .encodings import font_encoding
from .limits import Limits
from .workbook import Format, format_number, read_format, shortest

_META = re.compile(rb"""(?i)charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]*encoding=["']([\w.:-]+)""")
_COMMENT = re.compile(r"<!--.*?-->|<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_RULE = re.compile(r"(?:\.|^|(?<=[\s,}]))([\w-]+)\s*\{([^{}]*)\}")
_NUMBER_FORMAT = re.compile(r"""mso-number-format:\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^;"'\\]|\\.)+)""")
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{4}) ?|(.))", re.DOTALL)
_BOLD = re.compile(r"font-weight:\s*(?:bold|[6-9]00)")
_FONT = re.compile(r"""font-family:\s*["']?([^;"',]+)""")
_NOT_SHOWN = re.compile(r"display:\s*none|visibility:\s*(?:hidden|collapse)")
_NAMED_FORMATS = {
    "short date": "d/m/yyyy", "medium date": "d-mmm-yy", "long date": "d mmmm yyyy", "general date": "d/m/yyyy h:mm",
    "short time": "h:mm", "medium time": "h:mm", "long time": "h:mm:ss",
}  # fmt: skip
_SHEETS = re.compile(r"<x:ExcelWorksheet>(.*?)</x:ExcelWorksheet>", re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_APART = {"p", "div", "li", "tr", "h1", "h2", "h3", "h4"}
_SPAN_MAX = 1_000
"""The widest span of columns that HTML knows (4.9.11)."""


def read_html(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """Each table with content as a grid, in the order of the page; spans of rows and columns are merged ranges.

    A single table has no name, unless Excel left the sheet's. Rows count within their table. A no-break space is a space.

    Raises :class:`Unreadable`: NO_TABLE_IN_PAGE, NOT_UTF8 (neither UTF-8 nor what the page says it is), DAMAGED_FILE (the
    page ends within a table), TOO_LARGE (``limit``).
    """
    limits = limits or Limits()
    _bound(data, limits)
    return _named([_Page(_decoded(data, None), limits)], _SHEETS)


def read_mhtml(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """The tables of all pages in a web archive; see :func:`read_html`. A part that is cut off: DAMAGED_FILE."""
    limits = limits or Limits()
    _bound(data, limits)
    try:
        archive = email.message_from_bytes(data, policy=email.policy.compat32)
        pages = []
        for part in archive.walk():
            if any(isinstance(d, email.errors.CloseBoundaryNotFoundDefect) for d in part.defects):
                raise Unreadable("DAMAGED_FILE", format="MHTML")
            if part.get_content_type() != "text/html":
                continue
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                place = str(part.get("Content-Location", ""))
                pages.append(_Page(_decoded(body, part.get_content_charset()), limits, place))
    except (LookupError, ValueError, TypeError, RecursionError) as error:
        raise Unreadable("DAMAGED_FILE", format="MHTML") from error
    return _named(pages, _SHEETS)


def _bound(data: bytes, limits: Limits) -> None:
    if len(data) > limits.tree_bytes:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "html_mb", n=limits.tree_bytes >> 20))


def _decoded(data: bytes, stated: str | None) -> str:
    """By mark, else UTF-8 if it is valid, else what the page says; nothing is guessed."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            names = [name + "-sig" if name == "utf-8" else name]
            break
    else:
        found = _META.search(data[:8192])
        said = stated or (next(g for g in found.groups() if g).decode("ascii", "replace") if found else None)
        names = ["utf-8", *([said] if said else [])]
    for name in names:
        try:
            if codecs.lookup(name)._is_text_encoding:
                return data.decode(name).replace("\0", "\ufffd")  # libxml2 would stop at it
        except (LookupError, UnicodeError):
            continue
    raise Unreadable("NOT_UTF8")


def _named(pages: list[_Page], sheets: re.Pattern[str]) -> list[Grid]:
    """The grids of all pages with the names that Excel left, else 'Bảng 1', 'Bảng 2' where there are several."""
    known = [_ExcelSheet.of(block) for page in pages for block in sheets.findall(page.text)]
    grids: list[Grid] = []
    alone = len(known) == 1 and len(pages) == 1
    for page in pages:
        own = [s for s in known if alone or (s.place and page.place.endswith(s.place))]
        for number, cells in enumerate(page.tables()):
            sheet = own[0] if own and number == 0 else _ExcelSheet()
            grid = cells.grid(sheet.name, len(grids), hidden=sheet.hidden)
            if grid.frame.height:
                grids.append(grid)
    if not grids:
        raise Unreadable("NO_TABLE_IN_PAGE")
    if len(grids) > 1:
        for number, grid in enumerate(grids, 1):
            grid.name = grid.name or f"Bảng {number}"
    return grids


@dataclass(frozen=True)
class _ExcelSheet:
    """What Excel notes in a page of its own about a sheet."""

    name: str = ""
    place: str = ""
    hidden: bool = False

    @classmethod
    def of(cls, block: str) -> _ExcelSheet:
        name = re.search(r"<x:Name>(.*?)</x:Name>", block, re.DOTALL)
        place = re.search(r"""HRef=["']([^"']*)""", block)
        plain = (name[1] if name else "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
        return cls(plain, place[1].rsplit("/", 1)[-1] if place else "", "<x:Visible>Sheet" in block)


@dataclass
class _Page:
    """One page: its text, and where in an archive it lies."""

    text: str
    limits: Limits
    place: str = ""
    rules: dict[str, str] = field(default_factory=dict)
    formats: dict[str, Format | None] = field(default_factory=dict)

    def tables(self) -> Iterator[Cells]:
        plain = _COMMENT.sub("", self.text).lower()
        if plain.count("<table") > plain.count("</table"):
            raise Unreadable("DAMAGED_FILE", format="HTML")
        parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
        try:
            root = etree.fromstring(self.text.encode("utf-8", "replace"), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise Unreadable("NO_TABLE_IN_PAGE") from error
        # Where nesting or a text is beyond its bounds, libxml2 ends early and says so here only.
        if root is None or any(e.level_name == "FATAL" for e in parser.error_log):
            raise Unreadable("DAMAGED_FILE", format="HTML")
        self.date_1904 = "<x:date1904" in self.text.lower()
        for style in root.iter("style"):
            for name, rule in _RULE.findall(style.text or ""):
                self.rules[name.lower()] = self.rules.get(name.lower(), "") + ";" + rule
        for table in root.iter("table"):
            cells = Cells(self.limits)
            self._fill(cells, table)
            yield cells

    def _fill(self, cells: Cells, table: Any) -> None:
        until: dict[int, int] = {}  # column -> last row that a cell above reaches into
        spans = row = 0
        merged: list[tuple[int, int, int, int]] = []
        for line in table.iter("tr"):
            if next(line.iterancestors("table"), None) is not table:
                continue
            row += 1
            column = 1
            shown = not (_NOT_SHOWN.search(line.get("style", "").lower()) or "hidden" in line.attrib)
            for cell in line:
                if cell.tag not in ("td", "th"):
                    continue
                while until.get(column, 0) >= row:
                    column += 1
                across = min(max(_whole(cell.get("colspan")), 1), _SPAN_MAX)
                down = _whole(cell.get("rowspan"))
                last = row + down - 1 if down else self.limits.rows
                spans += across
                if spans > self.limits.cells:
                    raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=self.limits.cells))
                if last > row:
                    until.update(dict.fromkeys(range(column, column + across), last))
                if last > row or across > 1:
                    merged.append((row, column, last, column + across - 1))
                rules = self._rules(cell)
                text, kind, bold = self._cell(cell, rules)
                cells.put(
                    row, column, text, int(kind), bold, font=_encoding(cell, rules) if kind == Kind.TEXT else None
                )
                column += across
            if not shown:
                cells.hidden.add(row)
        cells.merge((top, left, min(bottom, row), right) for top, left, bottom, right in merged)

    def _rules(self, cell: Any) -> str:
        """The style rules for a cell, by its tag, its classes and itself."""
        rules = self.rules.get(cell.tag, "") + "".join(
            ";" + self.rules.get(name, "") for name in cell.get("class", "").lower().split()
        )
        return f"{rules};{cell.get('style', '')}"

    def _cell(self, cell: Any, rules: str) -> tuple[str, Kind, bool]:
        text = _text(cell)
        bold = cell.tag == "th" or bool(_BOLD.search(rules.lower())) or _all_bold(cell)
        if (error := cell.get("x:err")) is not None:
            return error or text, Kind.ERROR, bold
        if (truth := cell.get("x:bool")) is not None:
            return ("true" if (truth or text).strip().lower() in ("true", "1") else "false"), Kind.BOOLEAN, bold
        if (stored := cell.get("x:num")) is not None:
            stored = stored or text
            form = self._format(rules)
            if form is not None:
                shown, kind = format_number(stored, form, self.date_1904)
                return shown, kind, bold
            number = shortest(stored)
            # without a value of its own the number is as printed, and read like any text
            return (text, Kind.TEXT, bold) if number is None else (number, Kind.NUMBER, bold)
        return text, Kind.TEXT if text else Kind.BLANK, bold

    def _format(self, rules: str) -> Format | None:
        found = _NUMBER_FORMAT.findall(rules)
        if not found:
            return None
        code = found[-1]
        if code not in self.formats:
            plain = code.strip()
            if plain[:1] in "\"'" and plain[-1:] == plain[:1] and len(plain) > 1:
                plain = plain[1:-1]
            plain = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], plain)
            self.formats[code] = read_format(_NAMED_FORMATS.get(plain.lower(), plain))
        return self.formats[code]


def _whole(text: str | None) -> int:
    """A span; what is no number counts as 1."""
    found = re.match(r"\s*(\d{1,9})", text or "")
    return int(found[1]) if found else 1


def _text(cell: Any) -> str:
    """What a browser shows of a cell, tables in it apart: runs of space as one, line breaks kept."""
    parts: list[str] = []
    _collect(cell, parts)
    lines = (_SPACE.sub(" ", line).strip() for line in "".join(parts).split("\x0b"))
    return "\n".join(lines).strip("\n")


def _collect(element: Any, parts: list[str]) -> None:
    parts.append((element.text or "").replace("\x0b", " "))
    for child in element:
        tag = child.tag
        if tag == "br":
            parts.append("\x0b")
        elif tag not in ("table", "script", "style") and not _NOT_SHOWN.search(child.get("style", "").lower()):
            apart = tag in _APART and any(p.strip() for p in parts)
            parts.append("\x0b" if apart else "")
            _collect(child, parts)
            parts.append("\x0b" if tag in _APART and (child.tail or "").strip() else "")
        parts.append((child.tail or "").replace("\x0b", " "))


def _encoding(cell: Any, rules: str) -> str | None:
    """The legacy encoding that the cell's font shows: of the element in it that says one, else of its rules."""
    names = [e.get("face") for e in cell.iter("font") if e.get("face")] + _FONT.findall(rules)[-1:]
    return font_encoding(names[0]) if names else None


def _all_bold(cell: Any) -> bool:
    """Whether all that a cell holds is in one bold element."""
    at = cell
    while not (at.text or "").strip() and len(at) == 1 and not (at[0].tail or "").strip():
        at = at[0]
        if at.tag in ("b", "strong"):
            return True
    return False
