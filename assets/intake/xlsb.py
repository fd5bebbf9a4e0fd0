"""Bytes of an .xlsb workbook (Excel's binary form of the office package) -> grids, faithful to what the file stores.

Here: the records of [MS-XLSB] that say what a cell holds and how it looks. Not here: the package and number formats
(:mod:`.workbook`, the same as in .xlsx).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from schemas import messages
from schemas.grid import Grid, Kind, Unreadable

from .cells import Cells, with_names_in_unicode
from .decoding import CellFont, Run
from .encodings import UNICODE, font_encoding
from .limits import Limits
from .workbook import BROKEN_PACKAGE, BUILTIN_FORMATS, Format, Package, format_number, read_format, shortest
from .xls import ERRORS, rk

_TEXT, _NUMBER, _BOOLEAN, _ERROR = int(Kind.TEXT), int(Kind.NUMBER), int(Kind.BOOLEAN), int(Kind.ERROR)
BOOK = "xl/workbook.bin"


def read_xlsb(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """All worksheets in their order, hidden ones too; chart sheets are left out.

    A grid is as :func:`.workbook.read_workbook` makes it, except that rows without content are absent. The format keeps a
    result with every formula, so none is UNCALCULATED.

    Raises :class:`Unreadable`: DAMAGED_WORKBOOK, PASSWORD (encrypted zip), TOO_LARGE (``limit``).
    """
    try:
        book = _Book(Package(data, limits or Limits()))
        return with_names_in_unicode(list(book.grids()), book.met)
    except BROKEN_PACKAGE as error:
        # The text of the error may hold cell values: not kept.
        raise Unreadable("DAMAGED_WORKBOOK") from error


def _records(part: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of the body of each record; both number and length are written seven bits a byte."""
    at, size = 0, len(part)
    while at < size:
        number = part[at]
        at += 1
        if number & 0x80:
            number = (number & 0x7F) | (part[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while True:
            byte = part[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 21:
                break
        if at + length > size:
            raise ValueError("record is cut off")
        yield number, at, at + length
        at += length


def _string(part: bytes, at: int, end: int) -> tuple[str, int]:
    """XLWideString, and where it ends; a half of a surrogate pair becomes U+FFFD."""
    (count,) = struct.unpack_from("<I", part, at)
    if count == 0xFFFFFFFF:  # there is none
        return "", at + 4
    stop = at + 4 + count * 2
    if stop > end:
        raise ValueError("string is cut off")
    return part[at + 4 : stop].decode("utf-16-le", "replace"), stop


class _Book:
    def __init__(self, package: Package) -> None:
        self.package, self.limits = package, package.limits
        self.relations = package.relations(BOOK)
        single = dict(self.relations.values())
        self.date_1904 = False
        self.formats: list[Format | None] = []
        self.bold: list[bool] = []
        self.encodings: list[str | None] = []
        """Per style: the legacy encoding that its font shows."""
        self.shows: list[str | None] = []
        """The same per font."""
        self.runs: dict[int, tuple[Run, ...]] = {}
        self.met: set[str] = set()
        if "styles" in single:
            self._styles(package.read(single["styles"]))
        self.shared = self._shared(package.read(single["sharedStrings"])) if "sharedStrings" in single else []

    def _styles(self, part: bytes) -> None:
        codes: dict[int, str] = {}
        fonts: list[bool] = []
        inside = False
        for number, at, end in _records(part):
            if number == 44:
                codes[struct.unpack_from("<H", part, at)[0]] = _string(part, at + 2, end)[0]
            elif number == 43:
                fonts.append(struct.unpack_from("<H", part, at + 4)[0] >= 600)
                self.shows.append(font_encoding(_string(part, at + 21, end)[0]))
            elif number in (617, 618):
                inside = number == 617
            elif number == 47 and inside:
                _, code, font = struct.unpack_from("<HHH", part, at)
                self.formats.append(read_format(codes[code]) if code in codes else BUILTIN_FORMATS.get(code))
                self.bold.append(font < len(fonts) and fonts[font])
                self.encodings.append(self.shows[font] if font < len(fonts) else None)

    def _shared(self, part: bytes) -> list[str]:
        texts: list[str] = []
        for number, at, end in _records(part):
            if number == 19:
                if len(texts) >= self.limits.shared_strings:
                    raise Unreadable("TOO_LARGE", limit=messages.text("limit", "strings", n=self.limits.shared_strings))
                text, after = _string(part, at + 1, end)
                if part[at] & 1 and any(self.shows):
                    (count,) = struct.unpack_from("<I", part, after)
                    if after + 4 + count * 4 > end:
                        raise ValueError("runs are cut off")
                    starts = list(struct.iter_unpack("<HH", part[after + 4 : after + 4 + count * 4]))
                    self.runs[len(texts)] = self._runs(text, starts)
                texts.append(text)
        return texts

    def _runs(self, text: str, starts: list[tuple[int, int]]) -> tuple[Run, ...]:
        """The parts of a text with the encodings of their fonts; before the first start it has the cell's font."""
        places = [0, *(min(at, len(text)) for at, _ in starts), len(text)]
        shown = [None, *((self.shows[f] if f < len(self.shows) else None) or UNICODE for _, f in starts)]
        parts = zip(places, places[1:], shown, strict=False)
        return tuple((text[start:end], encoding) for start, end, encoding in parts if start < end)

    def _font(self, which: int, style: int) -> CellFont | None:
        """The font of a text, where it or one of its runs shows a legacy encoding; ``which``: a shared text, or -1."""
        own = self.encodings[style] if style < len(self.encodings) else None
        runs = self.runs.get(which)
        if runs and (own or any(e not in (None, UNICODE) for _, e in runs)):
            return tuple((text, own if e is None else e) for text, e in runs)
        return own

    def grids(self) -> Iterator[Grid]:
        book = self.package.read(BOOK)
        sheets = []
        for number, at, end in _records(book):
            if number == 153:
                self.date_1904 = bool(book[at] & 1)
            elif number == 156:
                (state,) = struct.unpack_from("<I", book, at)
                relation, after = _string(book, at + 8, end)
                sheets.append((state, relation, _string(book, after, end)[0]))
        index = 0
        for state, relation, name in sheets:
            kind, path = self.relations[relation]
            if kind != "worksheet":
                continue
            yield self._sheet(self.package.read(path)).grid(name, index, hidden=state != 0)
            index += 1

    def _sheet(self, part: bytes) -> Cells:
        cells = Cells(self.limits, self.met)
        head = struct.Struct("<II").unpack_from
        row = -1
        seen: dict[tuple[float, int], tuple[str, int]] = {}
        ended = False
        for number, at, end in _records(part):
            if number == 0:
                (row,) = struct.unpack_from("<I", part, at)
                row += 1
                if part[at + 11] & 0x10:
                    cells.hidden.add(row)
            elif number in (2, 5, 9):
                column, style = head(part, at)
                style &= 0xFFFFFF
                value = rk(struct.unpack_from("<I", part, at + 8)[0]) if number == 2 else _double(part, at + 8)
                found = seen.get((value, style))
                if found is None:
                    found = seen[value, style] = self._number(value, style)
                cells.put(row, column + 1, *found, self._is_bold(style))
            elif number in (3, 4, 6, 7, 8, 10, 11, 62):
                column, style = head(part, at)
                style &= 0xFFFFFF
                kind, which = _TEXT, -1
                if number == 7:
                    (which,) = struct.unpack_from("<I", part, at + 8)
                    text = self.shared[which]
                elif number in (6, 8):
                    text = _string(part, at + 8, end)[0]
                elif number == 62:
                    text = _string(part, at + 9, end)[0]
                elif number in (3, 11):
                    text, kind = ERRORS[part[at + 8]], _ERROR
                else:
                    text, kind = ("true" if part[at + 8] else "false"), _BOOLEAN
                font = self._font(which, style) if kind == _TEXT else None
                cells.put(row, column + 1, text, kind, self._is_bold(style), font=font)
            elif number == 176:
                top, bottom, left, right = struct.unpack_from("<4I", part, at)
                cells.merge([(top + 1, left + 1, bottom + 1, right + 1)])
            elif number == 146:
                ended = True
        if not ended:
            raise ValueError("sheet is cut off")
        return cells

    def _is_bold(self, style: int) -> bool:
        return style < len(self.bold) and self.bold[style]

    def _number(self, value: float, style: int) -> tuple[str, int]:
        form = self.formats[style] if style < len(self.formats) else None
        if form is not None:
            text, kind = format_number(repr(value), form, self.date_1904)
            return text, int(kind)
        short = shortest(repr(value))
        return (short, _NUMBER) if short is not None else (ERRORS[0x24], _ERROR)


def _double(part: bytes, at: int) -> float:
    value: float = struct.unpack_from("<d", part, at)[0]
    return value
