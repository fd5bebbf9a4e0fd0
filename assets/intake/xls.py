"""Bytes of an .xls workbook of Excel 5 to 2003 (BIFF5, BIFF8) -> grids, faithful to what the file stores.

Here: the records of [MS-XLS] that say what a cell holds and how it looks. Not here: the container (:mod:`.ole`), number
formats (:mod:`.workbook`, the same as in .xlsx), formulas (only their stored results are read).

Why not a library: xlrd evaluates formulas and names that nobody asks for, hides whether a formula has a result, and
sets no bounds; python-calamine returns '' for what is empty, in error or never calculated.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas import messages
from schemas.grid import Grid, Kind, Unreadable

from .cells import Cells, with_names_in_unicode
from .decoding import CellFont, Run
from .encodings import UNICODE, font_encoding
from .limits import Limits
from .ole import MAGIC, Ole
from .workbook import BUILTIN_FORMATS, Format, format_number, read_format, shortest

_BIFF5, _BIFF8 = 0x0500, 0x0600
ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip
_CODEPAGES = {367: "ascii", 1200: "utf-16-le", 10000: "mac-roman", 32768: "mac-roman", 32769: "cp1252"}
_TEXT, _NUMBER, _BOOLEAN = int(Kind.TEXT), int(Kind.NUMBER), int(Kind.BOOLEAN)
_ERROR, _UNCALCULATED = int(Kind.ERROR), int(Kind.UNCALCULATED)


def read_xls(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """All worksheets in their order, hidden ones too; chart and macro sheets are left out.

    A grid is as :func:`.workbook.read_workbook` makes it, except that rows without content are absent. A formula whose
    stored result is the empty text is UNCALCULATED where the sheet says that it was not calculated (record UNCALCED), or
    where another program than Excel wrote the file: those programs write it for want of a result. What the format
    cannot say: a result of 0 that was never calculated.

    Raises :class:`Unreadable`: DAMAGED_WORKBOOK, PASSWORD, TOO_LARGE (``limit``), UNSUPPORTED_FORMAT (before Excel 5).
    """
    try:
        if data.startswith(MAGIC):
            container = Ole(data)
            # A file saved for both has a stream of each; the newer one is the whole.
            stream = container.read("Workbook" if "Workbook" in container.streams else "Book")
        else:
            stream = data
        book = _Book(stream, limits or Limits())
        return with_names_in_unicode(list(book.grids()), book.met)
    except (struct.error, LookupError, ValueError, ArithmeticError) as error:
        # The text of the error may hold cell values: not kept.
        raise Unreadable("DAMAGED_WORKBOOK") from error


# -------------------------------------------------------------------------------------------------------------- records


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of the body of each record from a place on, to the end of the stream."""
    unpack, size = struct.Struct("<HH").unpack_from, len(stream)
    while at + 4 <= size:
        number, length = unpack(stream, at)
        at += 4
        if at + length > size:
            raise ValueError("record is cut off")
        yield number, at, at + length
        at += length


class _Segments:
    """A record's body and those of its CONTINUE records, read on across their borders."""

    def __init__(self, bodies: list[bytes]) -> None:
        self.bodies, self.which, self.at = bodies, 0, 0
        self.body = bodies[0]

    def _next(self) -> None:
        self.which += 1
        self.body, self.at = self.bodies[self.which], 0

    def take(self, size: int) -> bytes:
        """Bytes that are cut anywhere by the borders."""
        parts = b""
        while size > len(self.body) - self.at:
            parts += self.body[self.at :]
            size -= len(self.body) - self.at
            self._next()
        parts += self.body[self.at : self.at + size]
        self.at += size
        return parts

    def text(self, count: int, wide: int) -> str:
        """Characters; behind a border a byte says anew whether they take one byte or two."""
        parts = []
        while True:
            fit = min(count, (len(self.body) - self.at) // (2 if wide else 1))
            size = fit * 2 if wide else fit
            raw = self.body[self.at : self.at + size]
            parts.append(raw.decode("utf-16-le", "surrogatepass") if wide else raw.decode("latin-1"))
            self.at += size
            count -= fit
            if not count:
                break
            self._next()
            wide = self.body[0] & 1
            self.at = 1
        text = "".join(parts)
        # The halves of a surrogate pair may be in two segments; a half alone becomes U+FFFD.
        return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def string(self) -> tuple[str, bytes]:
        """XLUnicodeRichExtendedString with its runs, or XLUnicodeString, which has none."""
        count, flags = struct.unpack("<HB", self.take(3))
        runs = struct.unpack("<H", self.take(2))[0] if flags & 8 else 0
        extension = struct.unpack("<I", self.take(4))[0] if flags & 4 else 0
        text = self.text(count, flags & 1)
        runs_of = self.take(runs * 4) if runs else b""
        if extension:
            self.take(extension)
        return text, runs_of


# ----------------------------------------------------------------------------------------------------- workbook globals


@dataclass
class _Look:
    """What the cells of one XF record have in common."""

    format: Format | None
    bold: bool
    encoding: str | None
    """The legacy encoding that the font shows."""
    seen: dict[float, tuple[str, int]] = field(default_factory=dict)
    """Dates repeat: each is worked out once."""


class _Book:
    """The workbook's globals: what its cells refer to."""

    def __init__(self, stream: bytes, limits: Limits) -> None:
        self.stream, self.limits = stream, limits
        self.biff = 0
        self.codec = "cp1252"
        self.date_1904 = False
        self.by_excel = False
        self.met: set[str] = set()
        """Legacy encodings that were found in cells."""
        self.fonts: list[str | None] = []
        """The encodings of fonts by their number; None for Unicode."""
        self.shared: list[str] = []
        self.runs: dict[int, tuple[Run, ...]] = {}
        """By position in the shared table: the runs of texts in several fonts, where any font shows an encoding."""
        self.looks: list[_Look] = []
        self._sheets: list[tuple[int, int, int, str]] = []
        self._globals()

    def _globals(self) -> None:
        stream = self.stream
        bold: list[bool] = []
        codes: dict[int, str] = {}
        looks: list[tuple[int, int]] = []
        records = _records(stream, 0)
        number, at, end = next(records, (0, 0, 0))
        if number != 0x0809:
            if number in (0x0009, 0x0209, 0x0409):
                raise Unreadable("UNSUPPORTED_FORMAT", format="Excel 4.0 trở về trước")
            raise ValueError("no workbook")
        self.biff = struct.unpack_from("<H", stream, at)[0]
        if self.biff not in (_BIFF5, _BIFF8):
            raise ValueError("version")
        # Excel notes in the file on which systems it was edited; other programs leave that empty.
        self.by_excel = end - at >= 12 and struct.unpack_from("<I", stream, at + 8)[0] != 0
        last = 0
        table: list[bytes] = []
        for number, at, end in records:
            if number == 0x0A:
                break
            if number == 0x2F:
                raise Unreadable("PASSWORD")
            if number == 0x22:
                self.date_1904 = stream[at : at + 2] == b"\1\0"
            elif number == 0x42:
                self._codepage(struct.unpack_from("<H", stream, at)[0])
            elif number == 0x31:
                # index 4 is never written and never meant
                if len(bold) == 4:
                    bold.append(False)
                    self.fonts.append(None)
                bold.append(struct.unpack_from("<H", stream, at + 6)[0] >= 600)
                self.fonts.append(font_encoding(self._text(at + 14, end, long=False)))
            elif number == 0x41E:
                codes[struct.unpack_from("<H", stream, at)[0]] = self._text(at + 2, end, long=self.biff == _BIFF8)
            elif number == 0xE0:
                looks.append(struct.unpack_from("<HH", stream, at))
            elif number == 0x85:
                place, state, kind = struct.unpack_from("<IBB", stream, at)
                self._sheets.append((place, state & 3, kind, self._text(at + 6, end, long=False)))
            elif number == 0xFC or (number == 0x3C and last == 0xFC):
                table.append(stream[at:end])
                number = 0xFC
            last = number
        else:
            raise ValueError("globals are cut off")
        if table:
            self.shared = self._shared(table)
        for font, code in looks:
            form = read_format(codes[code]) if code in codes else BUILTIN_FORMATS.get(code)
            known = font < len(bold)
            self.looks.append(_Look(form, known and bold[font], self.fonts[font] if known else None))

    def _codepage(self, number: int) -> None:
        name = _CODEPAGES.get(number, f"cp{number}")
        try:
            codecs.lookup(name)
        except LookupError:
            return
        self.codec = name

    def _text(self, at: int, end: int, *, long: bool, encoding: str | None = None) -> str:
        """A string within one record: its length (two bytes, or one), in BIFF8 its width, its characters.

        ``encoding``: the one that its font shows; then its bytes are no text in the file's code page.
        """
        size = 2 if long else 1
        count = int.from_bytes(self.stream[at : at + size], "little")
        at += size
        if self.biff == _BIFF8:
            wide = self.stream[at] & 1
            if at + 1 + count * (wide + 1) > end:
                raise ValueError("string is cut off")
            return _Segments([self.stream[at + 1 : end]]).text(count, wide)
        if at + count > end:
            raise ValueError("string is cut off")
        return self._decoded(self.stream[at : at + count], encoding)

    def _decoded(self, raw: bytes, encoding: str | None = None) -> str:
        """Bytes of BIFF5 in the file's code page; one that it does not define stays what it is, for fonts define it."""
        codec = self.codec if encoding is None else "cp1252"
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            return "".join(bytes([b]).decode(codec, "ignore") or chr(b) for b in raw)

    def _shared(self, table: list[bytes]) -> list[str]:
        segments = _Segments(table)
        _, count = struct.unpack("<II", segments.take(8))
        if count > self.limits.shared_strings:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "strings", n=self.limits.shared_strings))
        texts: list[str] = []
        legacy = any(self.fonts)
        for number in range(count):
            text, runs = segments.string()
            texts.append(text)
            if runs and legacy:
                self.runs[number] = self._runs(text, list(struct.iter_unpack("<HH", runs)))
        return texts

    def _runs(self, text: str, starts: list[tuple[int, int]]) -> tuple[Run, ...]:
        """The parts of a text with the encodings of their fonts; before the first start it has the cell's font."""
        places = [0, *(min(at, len(text)) for at, _ in starts), len(text)]
        shown: list[str | None] = [None, *(self._shows(font) for _, font in starts)]
        parts = zip(places, places[1:], shown, strict=False)
        return tuple((text[start:end], encoding) for start, end, encoding in parts if start < end)

    def _shows(self, font: int) -> str:
        return (self.fonts[font] if font < len(self.fonts) else None) or UNICODE

    def _font(self, which: int, own: str | None) -> CellFont | None:
        """The font of a cell with a shared text, where it or one of its runs shows a legacy encoding."""
        runs = self.runs.get(which)
        if runs and (own or any(e not in (None, UNICODE) for _, e in runs)):
            return tuple((text, own if e is None else e) for text, e in runs)
        return own

    # ------------------------------------------------------------------------------------------------------- sheets

    def grids(self) -> Iterator[Grid]:
        index = 0
        for place, state, kind, name in self._sheets:
            number, at, _ = next(_records(self.stream, place), (0, 0, 0))
            if number != 0x0809:
                raise ValueError("sheet")
            if kind != 0 or struct.unpack_from("<H", self.stream, at + 2)[0] != 0x10:
                continue
            yield self._sheet(place).grid(name, index, hidden=state != 0)
            index += 1

    def _sheet(self, place: int) -> Cells:
        stream, looks, shared = self.stream, self.looks, self.shared
        cells = Cells(self.limits, self.met)
        cell, packed_of, number_of, long_of = (struct.Struct(f"<{f}").unpack_from for f in ("HHH", "I", "d", "HHHI"))
        waiting: tuple[int, int, _Look] | None = None  # a formula whose text follows
        empty: list[tuple[int, int, _Look]] = []  # formulas with the empty text
        uncalculated = not self.by_excel
        depth = 0
        text_bodies: list[bytes] = []

        def stored_text() -> None:
            """The text of a formula, whole once no CONTINUE follows any more."""
            nonlocal waiting
            if waiting is not None:
                row, column, look = waiting
                text = self._formula_text(text_bodies, look.encoding)
                if text or not text_bodies:
                    kind = _TEXT if text_bodies else _UNCALCULATED
                    cells.put(row, column, text, kind, look.bold, font=look.encoding)
                else:
                    empty.append(waiting)
            waiting = None
            text_bodies.clear()

        for number, at, end in _records(stream, place):
            if number == 0x809:
                depth += 1
                continue
            if number == 0x0A:
                depth -= 1
                if depth == 0:
                    break
                continue
            if depth != 1:  # a chart that lies on the sheet
                continue
            if waiting is not None and (text_bodies or number not in (0x207, 0x4BC, 0x221, 0x236)) and number != 0x3C:
                stored_text()
            if number == 0xFD:
                row, column, xf, which = long_of(stream, at)
                look = looks[xf]
                font = self._font(which, look.encoding) if self.runs else look.encoding
                cells.put(row + 1, column + 1, shared[which], _TEXT, look.bold, font=font)
            elif number == 0x27E:
                row, column, xf = cell(stream, at)
                cells.put(row + 1, column + 1, *self._number(rk(packed_of(stream, at + 6)[0]), xf))
            elif number == 0x203:
                row, column, xf = cell(stream, at)
                cells.put(row + 1, column + 1, *self._number(number_of(stream, at + 6)[0], xf))
            elif number == 0xBD:
                row, column = struct.unpack_from("<HH", stream, at)
                for xf, packed in struct.iter_unpack("<HI", stream[at + 4 : end - 2]):
                    column += 1
                    cells.put(row + 1, column, *self._number(rk(packed), xf))
            elif number == 0x06:
                row, column, xf = cell(stream, at)
                what, _, which, mark = struct.unpack_from("<BBB3xH", stream, at + 6)
                where = (row + 1, column + 1, looks[xf])
                if mark != 0xFFFF:
                    cells.put(row + 1, column + 1, *self._number(number_of(stream, at + 6)[0], xf))
                elif what == 0:
                    waiting = where
                elif what == 3:
                    empty.append(where)
                else:
                    cells.put(*where[:2], *_bool_or_error(which, what == 2), where[2].bold)
            elif number == 0x207 or (number == 0x3C and text_bodies):
                if waiting is not None:
                    text_bodies.append(stream[at:end])
            elif number in (0x204, 0xD6):
                row, column, xf = cell(stream, at)
                look = looks[xf]
                text = self._text(at + 6, end, long=True, encoding=look.encoding)
                cells.put(row + 1, column + 1, text, _TEXT, look.bold, font=look.encoding)
            elif number == 0x205:
                row, column, xf, which, what = struct.unpack_from("<HHHBB", stream, at)
                cells.put(row + 1, column + 1, *_bool_or_error(which, what != 0), looks[xf].bold)
            elif number == 0x208:
                (row,), (flags,) = struct.unpack_from("<H", stream, at), struct.unpack_from("<H", stream, at + 12)
                if flags & 0x20:
                    cells.hidden.add(row + 1)
            elif number == 0xE5:
                ranges = struct.iter_unpack("<4H", stream[at + 2 : end - (end - at - 2) % 8])
                cells.merge((top + 1, left + 1, bottom + 1, right + 1) for top, bottom, left, right in ranges)
            elif number == 0x5E:
                uncalculated = True
        else:
            raise ValueError("sheet is cut off")
        stored_text()
        if uncalculated:
            for row, column, look in empty:
                cells.put(row, column, "", _UNCALCULATED, look.bold)
        return cells

    def _number(self, value: float, xf: int) -> tuple[str, int, bool]:
        """Text, kind and boldness of a number under its format."""
        look = self.looks[xf]
        if look.format is None:
            whole = int(value) if -1e15 < value < 1e15 else 0
            text = str(whole) if whole == value else shortest(repr(value))
            return (text, _NUMBER, look.bold) if text is not None else (ERRORS[0x24], _ERROR, look.bold)
        found = look.seen.get(value)
        if found is None:
            text, kind = format_number(repr(value), look.format, self.date_1904)
            found = look.seen[value] = text, int(kind)
        return *found, look.bold

    def _formula_text(self, bodies: list[bytes], encoding: str | None) -> str:
        if not bodies:
            return ""
        if self.biff == _BIFF8:
            return _Segments(bodies).string()[0]
        raw = b"".join(bodies)
        return self._decoded(raw[2 : 2 + struct.unpack_from("<H", raw)[0]], encoding)


def rk(packed: int) -> float:
    """RK: 30 bits of an integer or of the head of a double, perhaps in hundredths."""
    if packed & 2:
        value: float = (packed ^ 0x80000000) - 0x80000000 >> 2
    else:
        value = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return value / 100 if packed & 1 else value


def _bool_or_error(which: int, is_error: bool) -> tuple[str, int]:
    if is_error:
        return ERRORS[which], _ERROR
    return ("true" if which else "false"), _BOOLEAN
