"""The XML of one sheet, changed at single places: every other byte stays as it was.

Here: cells that get another style or are made, formulas that reach out of the workbook (their stored results stay), parts that run
or fetch, the reference to a drawing of comments. The text is followed by expat, which says at which byte an element begins; no tree
is built, so a sheet costs its own bytes and no more. Not here: styles, comments, and the package that a sheet is in
(:mod:`.package`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from assets.intake.workbook import DIGITS, column_number, letters

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_AFTER_COMMENTS = frozenset(
    ("legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst")
    + ("AlternateContent",)
)
"""What stands behind the drawing of comments in a sheet (ECMA-376 part 1, 18.3.1.99)."""
_ACTIVE = frozenset(("oleObjects", "controls"))
_FORMULAS = frozenset(("f", "formula", "formula1", "formula2"))
_FORMULA_MAX = 8192
"""Characters of a formula that programs take; a longer one is nobody's work, and is taken out."""
_TEXTS = (re.compile(r'"[^"]*"?'), re.compile(r"""('(?:[^']|'')*'?)|"[^"]*"?"""))
"""Texts in a formula, as far as one can tell without its grammar: a quote may stand in the name of a sheet ('a"b'!A1), and an
apostrophe before a sign in the name of a column (T['#a])."""
_LINK = re.compile(r"\||\](?:[^\[\]']|'')*'!|\][\w.]*!")
_CALL = re.compile(
    r"(?<![\w.])(?:_xl\w+\.)*(?:WEBSERVICE|FILTERXML|ENCODEURL|IMAGE|STOCKHISTORY|RTD|DDE|CALL|REGISTER(?:\.ID)?|EXEC"
    r"|SQL\.REQUEST|CUBE\w+|PY|IMPORT(?:DATA|XML|HTML|RANGE|FEED)|GOOGLE\w+)\s*\(",
    re.IGNORECASE,
)
_HAS_FORMULA = re.compile(rb"<(?:\w+:)?f(?:ormula[12]?)?[\s/>]")
_MAY_REACH_OUT = re.compile(
    rb"(?i)\||\][^<>\[\]]*!|&#|(?:WEBSERVICE|FILTERXML|ENCODEURL|IMAGE|STOCKHISTORY|RTD|DDE|CALL|REGISTER|EXEC"
    rb"|REQUEST|CUBE\w{1,40}|PY|IMPORT(?:DATA|XML|HTML|RANGE|FEED)|GOOGLE\w{1,40})(?:\.ID)?\s*\("
)
"""Bounded: a sender may repeat any of it without end, and each place costs a look ahead."""
_MAY_RUN = re.compile(rb"oleObjects|controls|<!|<\?(?!xml\s)|\0")


def suspicious(sheet: bytes) -> bool:
    """Whether a sheet is to be looked through for what reaches out of it; what is written with references to characters is too."""
    return _MAY_RUN.search(sheet) is not None or (
        _HAS_FORMULA.search(sheet) is not None and _MAY_REACH_OUT.search(sheet) is not None
    )


class Unpatchable(Exception):
    """The workbook is in a form that cannot be changed at single places; it is to be made anew from its data."""


def reaches_out(formula: str) -> bool:
    """Whether a formula asks another workbook, program or address: external links, DDE, web functions, calls of libraries.

    One that only names such a function in a text is taken for one that calls it: its stored result stays in any case.
    """
    return (
        len(formula) > _FORMULA_MAX
        or _CALL.search(formula) is not None
        or any(_LINK.search(text.sub(r"\1" if text.groups else "", formula)) for text in _TEXTS)
    )


@dataclass
class Restyle:
    """What becomes of styles. ``marked``: row -> column -> tone; ``style``: (style of the cell, tone) -> style;
    ``old``: styles with which an earlier answer coloured a cell -> the style that it gets back."""

    marked: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    style: Callable[[int, str], int] = lambda style, tone: style
    old: Mapping[int, int] = field(default_factory=dict)


@dataclass
class Patched:
    """A sheet as changed. ``formulas``: addresses of cells (or names of elements) whose formulas were taken out."""

    data: bytes
    changed: bool
    formulas: list[str]
    drawing: str | None
    """Relation id of the drawing of comments that it had already."""


def patch(data: bytes, restyle: Restyle, comments: str | None = None, *, unselect: bool = False) -> Patched:
    """Change a sheet. ``comments``: relation id of a drawing of comments, put in where the sheet has none; ``unselect``: another
    sheet is the one that is open. Raises :class:`Unpatchable` and :class:`expat.ExpatError`."""
    data = _readable(data)
    scan = _Scan(data, restyle, unselect)
    scan.run()
    if comments is not None and scan.drawing is None:
        at = scan.drawing_at if scan.drawing_at is not None else scan.end
        namespace = _STRICT_RELATIONS if b"purl.oclc.org/ooxml/" in data[:4096] else RELATIONS
        scan.edits.append((at, at, f'<{scan.prefix}legacyDrawing xmlns:r="{namespace}" r:id="{comments}"/>'.encode()))
    return Patched(_applied(data, scan.edits), bool(scan.edits), scan.formulas, scan.drawing)


def _readable(data: bytes) -> bytes:
    """UTF-16 as UTF-8, so that places in the text are places in the bytes of what is put in."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4] in (b"<\0?\0", b"\0<\0?"):
        text = data.decode(
            "utf-16" if data[:1] in (b"\xff", b"\xfe") else "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        )
        return re.sub(r"^\ufeff?<\?xml[^>]*\?>", "", text).encode()
    return data


def _applied(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    if not edits:
        return data
    parts, at = [], 0
    for start, end, new in sorted(edits, key=lambda e: (e[0], e[1])):
        if start < at:  # inside of what is cut out
            continue
        parts += [data[at:start], new]
        at = end
    return b"".join([*parts, data[at:]])


class _Scan:
    """One pass over a sheet, collecting (first byte, byte behind the last, new bytes)."""

    def __init__(self, data: bytes, restyle: Restyle, unselect: bool) -> None:
        self.data, self.restyle, self.unselect = data, restyle, unselect
        self.edits: list[tuple[int, int, bytes]] = []
        self.formulas: list[str] = []
        self.drawing: str | None = None
        self.drawing_at: int | None = None
        self.end = len(data)
        self.prefix = ""
        self.depth = 0
        self.waiting = sorted(restyle.marked)
        self.row = self.column = 0
        self.row_stated = True
        self.row_style = 0
        self.row_open: tuple[int, str, list[str]] | None = None
        self.cells: list[tuple[int, str]] = []
        self.widths: list[tuple[int, int, int]] = []
        """First and last column, style."""
        self.begun: list[int] = []
        self.active = False
        self.text: list[str] | None = None
        self.formula: tuple[int, str | None] = (0, None)
        self.validation: tuple[int, str, list[str]] | None = None
        self.shared: set[str] = set()
        self.in_data = False
        self.place: list[str] = []
        """Attributes of the last cell."""

    def run(self) -> None:
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._said
        parser.StartDoctypeDeclHandler = self._refuse
        self.parser = parser
        parser.Parse(self.data, True)

    @staticmethod
    def _refuse(*_: object) -> None:
        raise Unpatchable("document type")

    def _said(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _tag(self, at: int) -> int:
        """The byte behind the start tag that begins at a byte."""
        data, quote = self.data, 0
        while True:
            code = data[at]
            if quote:
                quote = 0 if code == quote else quote
            elif code in b"\"'":
                quote = code
            elif code == 62:
                return at + 1
            at += 1

    def _retag(self, at: int, name: str, attributes: list[str], *, empty: bool) -> None:
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        text = "".join(f' {key}="{_escaped(value)}"' for key, value in pairs)
        self.edits.append((at, self._tag(at), f"<{name}{text}{'/' if empty else ''}>".encode()))

    def _is_empty(self, at: int) -> bool:
        return self.data[self._tag(at) - 2] == 47

    # --- elements ---------------------------------------------------------------------------------------------------

    def _start(self, name: str, attributes: list[str]) -> None:
        self.depth += 1
        at = self.parser.CurrentByteIndex
        local = name.rpartition(":")[2]
        if self.in_data:
            if local == "c":
                self.place = attributes
                if self.cells or self.restyle.old:
                    self._cell(at, name, attributes)
            elif local == "row":
                self._row(at, name, attributes)
        elif self.depth == 1:
            self.prefix = name[: len(name) - len(local)]
        elif self.depth == 2:
            self.begun.append(at)
            self.active = local in _ACTIVE
            if local == "sheetData":
                self.in_data = True
            elif local == "legacyDrawing":
                self.drawing = next((v for k, v in _pairs(attributes) if k.rpartition(":")[2] == "id"), None)
            elif local in _AFTER_COMMENTS and self.drawing_at is None and self.begun_data:
                self.drawing_at = at
        elif local in _ACTIVE:
            self.active = True
        elif local == "dataValidation":
            self.validation = (at, name, attributes)
        elif local == "col":
            found = dict(_pairs(attributes))
            self.widths.append((int(found["min"]), int(found["max"]), int(found.get("style", 0))))
        elif local == "sheetView" and self.unselect and "tabSelected" in attributes[::2]:
            kept = [part for key, value in _pairs(attributes) if key != "tabSelected" for part in (key, value)]
            self._retag(at, name, kept, empty=self._is_empty(at))
        if local in _FORMULAS:
            self.text = []
            self.formula = (at, dict(_pairs(attributes)).get("si"))

    begun_data = False

    def _end(self, name: str) -> None:
        at = self.parser.CurrentByteIndex
        local = name.rpartition(":")[2]
        if local in _FORMULAS and self.text is not None:
            self._formula(at, name, "".join(self.text))
            self.text = None
        elif local == "dataValidation":
            self.validation = None
        if self.in_data:
            if local == "row":
                self._row_ends(at)
            elif local == "sheetData" and self.depth == 2:
                self._data_ends(at, name)
        if self.depth == 2:
            begun = self.begun.pop()
            if self.active:
                self.edits.append((begun, self._behind(at, begun), b""))
                self.active = False
        elif self.depth == 1:
            self.end = at
        self.depth -= 1

    def _behind(self, at: int, begun: int) -> int:
        """The byte behind an element whose end was told at a byte: that of its end tag, or the one behind an empty tag."""
        return self.data.index(b">", at) + 1 if self.data[at : at + 2] == b"</" else self._tag(begun)

    def _formula(self, at: int, name: str, text: str) -> None:
        begun, shared = self.formula
        if not reaches_out(text) and not (shared is not None and shared in self.shared):
            return
        if shared is not None:
            self.shared.add(shared)
        if self.in_data:
            self.edits.append((begun, self._behind(at, begun), b""))
            self.formulas.append(dict(_pairs(self.place)).get("r", str(self.row)))
        else:
            self.edits.append((begun, self._behind(at, begun), f"<{name}>FALSE</{name}>".encode()))
            where = name.rpartition(":")[2]
            if self.validation is not None:
                # of no type it lets any value in; a list of nothing would refuse the right one
                tag, validation, attributes = self.validation
                kept = [part for key, value in _pairs(attributes) if key != "type" for part in (key, value)]
                self._retag(tag, validation, kept, empty=False)
                where = dict(_pairs(attributes)).get("sqref", where)
                self.validation = None
            self.formulas.append(where)

    # --- rows and cells ----------------------------------------------------------------------------------------------

    def _row(self, at: int, name: str, attributes: list[str]) -> None:
        found = dict(_pairs(attributes))
        number = int(found.get("r", self.row + 1))
        if number <= self.row:
            raise Unpatchable("rows out of order")
        self.row_stated = "r" in found
        while self.waiting and self.waiting[0] < number:
            self._make_row(at, self.waiting.pop(0))
        self.row, self.column = number, 0
        self.row_style = int(found.get("s", 0)) if found.get("customFormat") in ("1", "true") else 0
        self.row_open = None
        self.cells = []
        if self.waiting and self.waiting[0] == number:
            self.waiting.pop(0)
            self.cells = sorted(self.restyle.marked[number].items())
            self.row_open = (at, name, attributes)

    def _cell(self, at: int, name: str, attributes: list[str]) -> None:
        found = dict(_pairs(attributes))
        reference = found.get("r", "")
        column = column_number(reference.rstrip(DIGITS)) if reference else self.column + 1
        if column <= self.column or (
            not self.row_stated and reference and reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != str(self.row)
        ):
            raise Unpatchable("cells out of order")
        self.column = column
        made = b""
        while self.cells and self.cells[0][0] < column:
            made += self._made(*self.cells.pop(0))
        if made:
            self.edits.append((at, at, made))
        style = int(found.get("s", 0))
        if self.cells and self.cells[0][0] == column:
            _, tone = self.cells.pop(0)
            wanted = self.restyle.style(self.restyle.old.get(style, style), tone)
        else:
            wanted = self.restyle.old.get(style, style)
        if wanted == style:
            return
        if "s" in found:
            attributes = [
                part for key, value in _pairs(attributes) for part in (key, str(wanted) if key == "s" else value)
            ]
        else:
            cut = 2 if attributes[:1] == ["r"] else 0
            attributes = [*attributes[:cut], "s", str(wanted), *attributes[cut:]]
        self._retag(at, name, attributes, empty=self._is_empty(at))

    def _row_ends(self, at: int) -> None:
        if not self.cells or self.row_open is None:
            return
        made = b"".join(self._made(*cell) for cell in self.cells)
        self.cells = []
        begun, name, attributes = self.row_open
        if self._is_empty(begun):
            self._retag(begun, name, attributes, empty=False)
            start, end, tag = self.edits.pop()
            self.edits.append((start, end, tag + made + f"</{name}>".encode()))
        else:
            self.edits.append((at, at, made))

    def _data_ends(self, at: int, name: str) -> None:
        self.in_data, self.begun_data = False, True
        if not self.waiting:
            return
        begun = self.begun[-1]
        if self._is_empty(begun):
            rows = b"".join(self._row_made(row) for row in self.waiting)
            self.edits.append((begun, self._tag(begun), f"<{name}>".encode() + rows + f"</{name}>".encode()))
        else:
            for row in self.waiting:
                self._make_row(at, row)
        self.waiting = []

    def _make_row(self, at: int, row: int) -> None:
        self.edits.append((at, at, self._row_made(row)))

    def _row_made(self, row: int) -> bytes:
        self.row, self.row_style = row, 0
        cells = b"".join(self._made(*cell) for cell in sorted(self.restyle.marked[row].items()))
        return f'<{self.prefix}row r="{row}">'.encode() + cells + f"</{self.prefix}row>".encode()

    def _made(self, column: int, tone: str) -> bytes:
        """A cell that the file leaves out, with the style that its place has."""
        place = self.row_style or next((s for first, last, s in self.widths if first <= column <= last), 0)
        style = self.restyle.style(place, tone)
        return f'<{self.prefix}c r="{letters(column)}{self.row}" s="{style}"/>'.encode()


def _pairs(attributes: list[str]) -> list[tuple[str, str]]:
    return list(zip(attributes[::2], attributes[1::2], strict=True))


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return "".join(ch if ch >= " " and ch != "\x7f" and ch < "\x7f" else f"&#{ord(ch)};" for ch in text)
