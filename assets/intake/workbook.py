"""Bytes of an .xlsx workbook -> grids of text and kinds, faithful to what the file stores.

Here: the package (zip), its parts (relations, shared strings, styles, sheets) and the meaning of a stored cell. Not
here: which file is a workbook at all (:mod:`.sniff`), where a table lies in a sheet, and any cleaning of texts.

Why not a library: python-calamine returns the same for an empty cell, ``#REF!`` and a formula without a result, and
ends the process on a far-off cell; openpyxl tells them apart at three to four times the cost of this reader on a small
workbook.
"""

from __future__ import annotations

import io
import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import IO, Any

import numpy as np
import polars as pl
from lxml import etree

from schemas import messages
from schemas.grid import KIND, Grid, Kind, Problem, Unreadable

from .decoding import CellFont, Run, decode_fonts, decode_names, decode_sheet, suspicious
from .encodings import UNICODE, font_encoding
from .limits import MIB, Limits

_NAMESPACES = (
    "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}",
    "{http://purl.oclc.org/ooxml/spreadsheetml/main}",  # strict OOXML
)
BROKEN_PACKAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, etree.XMLSyntaxError,
    LookupError, ValueError, ArithmeticError, EOFError, OSError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""All that broken bytes make zipfile and lxml raise."""
_TREE_MAX = 4 * MIB


def read_workbook(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """All worksheets of a workbook in their order, hidden ones too; chart sheets are left out.

    ``Grid.index`` is the position in the returned list. Columns without any content are absent from a frame, and so are
    rows that the file leaves out and the empty rows after the last row with content. A cell of kind BLANK or
    UNCALCULATED has the text '' (never null). ``hidden_rows`` names hidden rows with content; a row is bold if all its
    cells with content are.

    Raises :class:`Unreadable`: DAMAGED_WORKBOOK, PASSWORD (encrypted zip), TOO_LARGE (``limit``).
    """
    try:
        return Package(data, limits or Limits()).grids()
    except BROKEN_PACKAGE as error:
        # The text of the error may hold cell values: not kept.
        raise Unreadable("DAMAGED_WORKBOOK") from error


# ---------------------------------------------------------------------------------------------------- package and parts


class Package:
    """The zip with the parts that matter, found through its relations."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.limits = limits
        self.zip = zipfile.ZipFile(io.BytesIO(data))
        # Some producers write back slashes or another case than their own relations.
        self.parts = {i.filename.replace("\\", "/").lstrip("/").lower(): i for i in self.zip.infolist()}
        self.unpacked = 0

    def open(self, path: str) -> IO[bytes]:
        """A part as a stream; :class:`KeyError` where the package lacks it."""
        info = self.parts[path.lower()]
        if info.flag_bits & 1:
            raise Unreadable("PASSWORD")
        # zipfile never yields more than the declared size, so the declared size is a bound.
        self.unpacked += info.file_size
        if self.unpacked > self.limits.unpacked_bytes:
            raise Unreadable(
                "TOO_LARGE", limit=messages.text("limit", "unpacked_mb", n=self.limits.unpacked_bytes // MIB)
            )
        if info.file_size > 16 * MIB and info.file_size > self.limits.ratio * max(info.compress_size, 1):
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "ratio", n=self.limits.ratio))
        return self.zip.open(info)

    def read(self, path: str) -> bytes:
        """A part as a whole; its sum of checks is compared."""
        with self.open(path) as stream:
            return stream.read()

    def tree(self, path: str) -> Any:
        """A part as the root of its tree."""
        if self.parts[path.lower()].file_size > self.limits.tree_bytes:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "xml_part_mb", n=self.limits.tree_bytes // MIB))
        root = etree.fromstring(self.read(path), xml_parser())
        refuse_doctype(root)
        return root

    def sheet(self, path: str, fresh: Callable[[], _Sheet]) -> Grid:
        """A sheet part: by pattern where it is in the plain form, else by lxml."""
        if self.parts[path.lower()].file_size <= _SCAN_MAX:
            with self.open(path) as stream:
                data = stream.read()
            try:
                return _scan(data, fresh())
            except _Unusual:
                return _walk(io.BytesIO(data), fresh())
        with self.open(path) as stream:
            return _walk(stream, fresh())

    def shared_strings(self, path: str) -> _Shared:
        """The shared string table; a tree is quicker to read, events are bounded in memory."""
        if self.parts[path.lower()].file_size <= _TREE_MAX:
            return self._texts(self.tree(path))
        with self.open(path) as stream:
            return self._texts(_elements(stream, "si"))

    def _texts(self, items: Iterable[Any]) -> _Shared:
        shared = _Shared()
        texts = shared.texts
        for item in items:
            if len(texts) >= self.limits.shared_strings:
                raise Unreadable("TOO_LARGE", limit=messages.text("limit", "strings", n=self.limits.shared_strings))
            if len(item) and not item[0].tag.endswith("}t") and (runs := _runs(item)):
                shared.runs[len(texts)] = runs
            texts.append(_rich_text(item))
        shared.suspicious = suspicious(texts)
        return shared

    def relations(self, path: str) -> dict[str, tuple[str, str]]:
        """Relation id -> (last word of its type, part that it points to)."""
        folder, name = posixpath.split(path)
        part = posixpath.join(folder, "_rels", f"{name}.rels")
        if part.lower() not in self.parts:
            return {}
        found = {}
        for relation in self.tree(part):
            target = relation.get("Target", "").replace("\\", "/")
            target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[relation.get("Id", "")] = (relation.get("Type", "").rsplit("/", 1)[-1], target)
        return found

    def grids(self) -> list[Grid]:
        book_path = "xl/workbook.xml"
        if book_path not in self.parts:
            book_path = dict(self.relations("").values())["officeDocument"]
        book = self.tree(book_path)
        relations = self.relations(book_path)
        single = dict(relations.values())
        date_1904 = any(e.get("date1904") in _TRUE for ns in _NAMESPACES for e in book.iterfind(f"{ns}workbookPr"))
        styles = _read_styles(self.tree(single["styles"]) if "styles" in single else None)
        shared = self.shared_strings(single["sharedStrings"]) if "sharedStrings" in single else _Shared()
        grids: list[Grid] = []
        encodings: set[str] = set()
        for sheet in (e for ns in _NAMESPACES for e in book.iterfind(f"{ns}sheets/{ns}sheet")):
            relation = next((value for key, value in sheet.items() if key.endswith("}id")), "")
            kind, path = relations[relation]
            if kind != "worksheet":
                continue
            if len(grids) >= self.limits.sheets:
                raise Unreadable("TOO_LARGE", limit=messages.text("limit", "sheets", n=self.limits.sheets))
            name = sheet.get("name", "")
            made: list[_Sheet] = []

            def fresh(name: str = name, made: list[_Sheet] = made) -> _Sheet:
                made.append(_Sheet(name, shared, styles, date_1904, self.limits))
                return made[-1]

            grid = self.sheet(path, fresh)
            grid.name, grid.index = name, len(grids)
            grid.hidden = sheet.get("state", "visible") != "visible"  # hidden, veryHidden
            encodings |= made[-1].encodings
            grids.append(grid)
        if not all(grid.name.isascii() for grid in grids):
            for grid, name in zip(grids, decode_names([grid.name for grid in grids], encodings), strict=True):
                grid.name = name
        return grids


def xml_parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)


def refuse_doctype(root: Any) -> None:
    """Office files have no document type; one is an attempt at entities, and unresolved entities would lose text."""
    if root is not None and root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("DAMAGED_WORKBOOK")


def _elements(stream: IO[bytes], *names: str) -> Iterator[Any]:
    """Elements of these names as they end, each emptied and dropped afterwards: memory stays bounded."""
    tags = [ns + name for ns in _NAMESPACES for name in names]
    context = etree.iterparse(
        stream, tag=tags, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    for _, element in context:
        yield element
        element.clear()
        if (before := element.getprevious()) is not None:
            element.getparent().remove(before)
    refuse_doctype(context.root)


# --------------------------------------------------------------------------------------------------- texts and formats

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _unescape(text: str) -> str:
    """``_x000D_`` -> the character (ST_Xstring); halves of a surrogate pair join, a half alone becomes U+FFFD."""
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_REFERENCE = re.compile("&[^;<&]*;?")
_NAMED = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}


def _references(text: str) -> str:
    """Entity and character references of raw XML text -> their characters; raises :class:`_Unusual` for odd ones."""
    return _REFERENCE.sub(_reference, text) if "&" in text else text


def _reference(match: re.Match[str]) -> str:
    text = match[0]
    if text in _NAMED:
        return _NAMED[text]
    if (number := re.fullmatch(r"&#(?:([0-9]{1,7})|x([0-9A-Fa-f]{1,6}));", text)) is None:
        raise _Unusual
    code = int(number[1]) if number[1] else int(number[2], 16)
    if code < 32 and code not in (9, 10, 13) or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF) or code > 0x10FFFF:
        raise _Unusual
    return chr(code)


def _letters_in(text: str) -> str:
    """Raw XML with the references to letters as those letters; those to signs of the markup stay for the single cell."""
    letters: dict[str, str] = {}

    def letter(match: re.Match[str]) -> str:
        reference = match[0]
        found = letters.get(reference)
        if found is None:
            if len(letters) >= _LETTERS_MAX:
                raise _Unusual  # no text has so many: an attempt at work for each
            found = _reference(match)
            letters[reference] = found = found if found >= " " and found not in "<&>\"'" else reference
        return found

    return _REFERENCE.sub(letter, text)


def _runs(element: Any) -> tuple[Run, ...] | None:
    """The runs of an ``si`` or ``is`` with the encodings of their fonts; None where no run states a font."""
    runs: list[Run] = []
    stated = False
    for child in element:
        encoding: str | None = None
        parts = []
        for part in child if child.tag.endswith("}r") else (child,):
            if part.tag.endswith("}t"):
                parts.append(part.text or "")
            elif part.tag.endswith("}rPr"):
                for font in part:
                    if font.tag.endswith("}rFont"):
                        stated, encoding = True, font_encoding(font.get("val", "")) or UNICODE
        if parts:
            runs.append((_unescape("".join(parts)), encoding))
    return tuple(runs) if stated else None


def _rich_text(element: Any) -> str:
    """Text of an ``si`` or ``is``: its own ``t`` or those of its runs; phonetic runs are a reading aid, not content."""
    if len(element) == 1 and (only := element[0]).tag.endswith("}t"):
        return _unescape(only.text or "")
    parts = []
    for child in element:
        tag = child.tag
        if tag.endswith("}t"):
            parts.append(child.text or "")
        elif tag.endswith("}r"):
            parts.extend(t.text or "" for t in child if t.tag.endswith("}t"))
    return _unescape("".join(parts))


@dataclass(frozen=True)
class Format:
    """What a number format makes of a number: a date, a time of day, or digits padded to a width."""

    date: bool = False
    time: bool = False
    elapsed: bool = False
    width: int = 0


BUILTIN_FORMATS = {
    **dict.fromkeys((14, 15, 16, 17, 22, *range(27, 32), 34, 35, 36, *range(50, 59)), Format(date=True)),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 45, 47), Format(time=True)),
    46: Format(time=True, elapsed=True),
}
"""Number formats that files name by id only (ECMA-376 part 1, 18.8.30; 27-36 and 50-58 are the East Asian dates)."""

_LITERAL = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]|AM/PM|A/P', re.IGNORECASE)
_TOKEN = re.compile(r"\[(?:h+|m+|s+)\]|y+|m+|d+|h+|s+", re.IGNORECASE)


_FORMAT_MAX = 1024
"""Characters of a number format; Excel allows 255, and patterns take squared time on brackets without end."""


@lru_cache(maxsize=1024)
def read_format(code: str) -> Format | None:
    """What a format code means; None for one that leaves the number a number.

    Quoted and escaped text, colours, conditions, locales and paddings are no date letters; ``m`` beside hours or
    seconds is minutes; a section with digit places and date letters (``0 m``) is a number.
    """
    if len(code) > _FORMAT_MAX:
        return None
    section = _LITERAL.sub("", code).split(";", 1)[0].strip()
    if re.fullmatch("0{2,32}", section) and re.fullmatch(r"(?:\[[^\]]*\])*0+", code.split(";", 1)[0].strip()):
        return Format(width=len(section))
    if re.search("[0#?]", re.sub(r"(?i)(s\]?)\.0+", r"\1", section)):
        return None
    tokens = [t.lower() for t in _TOKEN.findall(section)]
    if not tokens or section.lower() == "general":
        return None
    date = any(
        t[0] in "yd" or (t[0] == "m" and not (i and tokens[i - 1][-1] == "h" or tokens[i - 1][-2:] == "h]" and i)
                         and not (i + 1 < len(tokens) and tokens[i + 1].strip("[")[0] == "s"))
        for i, t in enumerate(tokens)
    )  # fmt: skip
    return Format(date=date, time=not date, elapsed=any(t[0] == "[" for t in tokens))


@dataclass
class _Shared:
    """The shared string table: its texts, by position the runs of those that state fonts, and whether any text may be in
    a legacy encoding."""

    texts: list[str] = field(default_factory=list)
    runs: dict[int, tuple[Run, ...]] = field(default_factory=dict)
    suspicious: bool = False


@dataclass
class _Styles:
    """Per style index, as the text that cells hold ('' = none stated = 0): formats that matter, bold fonts, and the
    encodings of legacy fonts."""

    formats: dict[str, Format] = field(default_factory=dict)
    bold: set[str] = field(default_factory=set)
    encodings: dict[str, str] = field(default_factory=dict)


def _read_styles(root: Any) -> _Styles:
    styles = _Styles()
    if root is None:
        return styles
    for ns in _NAMESPACES:
        codes = {e.get("numFmtId"): e.get("formatCode", "") for e in root.iterfind(f"{ns}numFmts/{ns}numFmt")}
        fonts = [
            any(b.get("val", "1") not in ("0", "false", "off") for b in font.iterfind(f"{ns}b"))
            for font in root.iterfind(f"{ns}fonts/{ns}font")
        ]
        encodings = [
            next((font_encoding(name.get("val", "")) for name in font.iterfind(f"{ns}name")), None)
            for font in root.iterfind(f"{ns}fonts/{ns}font")
        ]
        for number, xf in enumerate(root.iterfind(f"{ns}cellXfs/{ns}xf")):
            keys = (str(number), "") if number == 0 else (str(number),)
            format_id = xf.get("numFmtId", "0")
            found = read_format(codes[format_id]) if format_id in codes else BUILTIN_FORMATS.get(int(format_id))
            if found:
                styles.formats.update(dict.fromkeys(keys, found))
            font = int(xf.get("fontId", "0"))
            if font < len(fonts) and fonts[font]:
                styles.bold.update(keys)
            if font < len(fonts) and (encoding := encodings[font]):
                styles.encodings.update(dict.fromkeys(keys, encoding))
    return styles


# --------------------------------------------------------------------------------------------------------- cell values


def shortest(text: str) -> str | None:
    """Shortest form of a stored number, without '.0' and, below 1e15, without exponent; None if it is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    if value != value or value in (float("inf"), float("-inf")) or "_" in text:
        return None
    if value == int(value) and abs(value) < 1e16:
        return str(int(value))
    short = repr(value)
    return format(Decimal(short), "f") if "e-" in short else short


def format_number(text: str, style: Format, date_1904: bool) -> tuple[str, Kind]:
    """A number under a format that gives it another meaning; a number that the format cannot show stays a number."""
    number = shortest(text)
    if number is None:
        return text, Kind.TEXT
    value = float(text)
    if style.width:
        return (number.zfill(style.width) if number.isdecimal() else number), Kind.NUMBER
    if not 0 <= value < 2_958_466:  # 31 December 9999
        return number, Kind.NUMBER
    seconds = round(value * 86_400)
    if style.time and (style.elapsed or value < 1):
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}", Kind.TEXT
    if date_1904:
        start = datetime(1904, 1, 1)
    elif value < 1 or 60 <= value < 61:  # 0 January and 29 February 1900, which never were
        return number, Kind.NUMBER
    else:  # behind that day Excel counts one too many
        start = datetime(1899, 12, 31) if value < 60 else datetime(1899, 12, 30)
    try:
        moment = start + timedelta(seconds=seconds)
    except OverflowError:
        return number, Kind.NUMBER
    return iso_text(moment), Kind.DATE


def iso_text(moment: datetime) -> str:
    """'YYYY-MM-DD', with the time only where there is one."""
    text = moment.isoformat()[:19]
    return text.removesuffix("T00:00:00")


def stored_date(text: str) -> tuple[str, Kind]:
    """A cell of type ``d``: ISO 8601 as it stands in the file."""
    try:
        return iso_text(datetime.fromisoformat(text.strip()).replace(tzinfo=None)), Kind.DATE
    except ValueError:
        return text, Kind.TEXT


# --------------------------------------------------------------------------------------------------------------- sheet

DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TRUE = ("1", "true", "on")


def letters(number: int) -> str:
    """Letters of a column counted from 1: 1 -> 'A', 28 -> 'AB'."""
    text = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_number(text: str) -> int:
    """Number of a column from its letters: 'A' -> 1, 'XFD' -> 16,384; :class:`ValueError` for anything else."""
    number = 0
    for letter in text:
        if not "A" <= letter <= "Z":
            raise ValueError("not a column")
        number = number * 26 + ord(letter) - 64
    if not 1 <= number <= 16_384:
        raise ValueError("not a column")
    return number


_Token = tuple[str, str, str, str, str, str, str, str, str, str, str, str, str]
"""(type, column letters, style, type, '<f', '<v/>', stored, '<is>', inline text, row attributes, '/', '</row>', junk)

One cell (from the pattern also one start or end of a row), absent parts ''. Both readers of a sheet speak it.
"""

_SCAN = re.compile(
    r'<c(?: t="(\w+)")? r="([A-Z]{1,3})[0-9]+"(?: s="([0-9]+)")?(?: t="(\w+)")?'
    r"(?: ?/>|>(?:(<f)(?: [^<>]*)?(?:/>|>[^<]*</f>))?"
    r"(?:(<v ?/>|<v></v>)|<v>([^<&]+)</v>)?"
    r'(?:(<is>)<t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>)'
    r'|<row((?: [\w:.]+="[^"<&]*")+) ?(/?)>'
    r"|(</row>)"
    r"|(.+)",
    re.DOTALL,
)
"""The plain form in which nearly all programs write rows. From the first character on that does not fit it, all ends up
in the last group, and the sheet goes to lxml: so what this pattern reads, it reads whole."""
_NOT_PLAIN = bytes([*range(9), *range(11, 32)])
"""Bytes that XML forbids or, a carriage return, changes."""
_ATTRIBUTE = re.compile(r' ([\w:.]+)="([^"]*)"')
_SCAN_MAX = 64 * MIB
_SLICE = MIB
_LETTERS_MAX = 1024


class _Unusual(ValueError):
    """The sheet is not in the plain form."""


class _Sheet:
    """Collects one sheet column by column. A column holds as many texts as the last row that it has content in."""

    def __init__(self, name: str, shared: _Shared, styles: _Styles, date_1904: bool, limits: Limits) -> None:
        self.name = name
        self.shared, self.styles, self.date_1904, self.limits = shared, styles, date_1904, limits
        self.fonts_matter = bool(styles.encodings) or any(
            e not in (None, UNICODE) for r in shared.runs.values() for _, e in r
        )
        self.fonts: dict[str, dict[int, CellFont]] = {}
        """Column -> position -> font, of the texts for which it matters."""
        self.inline: tuple[Run, ...] | None = None
        """Runs of the inline text that is taken next."""
        self.inlined = False
        """Whether there may be texts beyond ASCII that are not in the shared table."""
        self.encodings: set[str] = set()
        self.columns: dict[str, tuple[list[str], bytearray]] = {}
        self.rows: list[int] = []
        self.places: dict[int, int] | None = None  # row number -> position, once rows are out of order
        self.formatted: dict[tuple[str, str], tuple[str, Kind]] = {}  # dates repeat: work out each once
        self.at = -1
        self.row_hidden = False
        self.hidden: set[int] = set()
        self.bold: set[int] = set()
        self.not_bold: set[int] = set()

    def grid(self, merged: Iterable[str]) -> Grid:
        where = messages.text("where", "sheet", name=self.name)
        notes: list[Problem] = []
        if self.fonts:
            self.encodings, notes = decode_fonts(self.columns, self.fonts, where)
        frame = self._frame()
        if self.shared.suspicious or self.inlined and any(suspicious(texts) for texts, _ in self.columns.values()):
            frame, more, told = decode_sheet(frame, where)
            self.encodings |= more
            notes += told
        return Grid(
            name="",
            index=0,
            frame=frame,
            notes=notes,
            hidden_rows=tuple(sorted(self.hidden)),
            merged=tuple(_range(reference) for reference in merged),
            bold_rows=frozenset(self.bold - self.not_bold),
        )

    def _place(self, stated: str | None) -> int:
        """Position in ``self.rows`` of a row; rows may lack their number, come twice or out of order."""
        last = self.rows[-1] if self.rows else 0
        number = int(stated) if stated is not None else last + 1
        if not 1 <= number <= 1_048_576:
            raise ValueError("row number")
        if self.places is None and number <= last:
            self.places = {row: at for at, row in enumerate(self.rows)}
        if self.places is not None:
            if number in self.places:
                return self.places[number]
            self.places[number] = len(self.rows)
        self.rows.append(number)
        if len(self.rows) > self.limits.rows:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "rows", n=self.limits.rows))
        return len(self.rows) - 1

    def start_row(self, stated: str | None, hidden: bool) -> None:
        """The cells taken from here on lie in this row."""
        self.at = self._place(stated)
        self.row_hidden = hidden
        self._bound(len(self.rows))

    def _bound(self, height: int) -> None:
        if height * len(self.columns) > self.limits.cells:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=self.limits.cells))

    def take(self, tokens: Iterable[_Token]) -> None:
        """Cells of one row, or whole rows with their starts and ends."""
        shared, formats, bold, columns = self.shared.texts, self.styles.formats, self.styles.bold, self.columns
        formatted, any_bold, fonts_matter = self.formatted, bool(bold), self.fonts_matter
        at, hidden = self.at, self.row_hidden
        number = self.rows[at] if at >= 0 else 0
        for early_kind, place, style, kind, formula, empty, stored, is_inline, inline, row, closed, end, _ in tokens:
            if not place:
                if row and at < 0:
                    attributes = dict(_ATTRIBUTE.findall(row))
                    if "r" not in attributes:
                        raise _Unusual
                    self.start_row(attributes["r"], attributes.get("hidden") in _TRUE)
                    at, hidden = (-1 if closed else self.at), self.row_hidden
                    number = self.rows[at]
                elif end and at >= 0:
                    at = -1
                else:
                    raise _Unusual
                continue
            if at < 0:
                raise _Unusual
            kind = kind or early_kind
            code: int
            if kind == "s" and stored:
                position = int(stored)
                if position < 0:
                    raise ValueError("shared string")
                text, code = shared[position], 1
            elif is_inline:
                text, code = (_unescape(_references(inline)) if is_inline == "<is>" else inline), 1
            elif not stored:
                if not formula or (kind == "str" and empty):
                    continue  # blank, or a formula whose stored result is the empty text
                text, code = "", 6
            elif not kind or kind == "n":
                if style in formats:
                    if (seen := formatted.get((stored, style))) is None:
                        seen = formatted[stored, style] = format_number(stored, formats[style], self.date_1904)
                    text, code = seen
                elif len(stored) < 16 and stored.isdecimal() and stored.isascii() and stored[0] != "0":
                    text, code = stored, 2
                elif (number_text := shortest(stored)) is not None:
                    text, code = number_text, 2
                else:
                    text, code = stored, 1
            elif kind == "str" or kind == "inlineStr":
                text, code = _unescape(stored), 1
            elif kind == "b":
                text, code = ("true" if stored.strip() in ("1", "true") else "false"), 4
            elif kind == "e":
                text, code = stored.strip(), 5
            elif kind == "d":
                text, code = stored_date(stored)
            else:
                raise ValueError("cell type")
            if not text and code != 6:
                continue
            column = columns.get(place)
            if column is None:
                column = self._column(place)
            texts, kinds = column
            gap = at - len(texts)
            if gap >= 0:
                if gap:
                    texts.extend([""] * gap)
                    kinds.extend(bytes(gap))
                texts.append(text)
                kinds.append(code)
            else:
                texts[at], kinds[at] = text, code
            if fonts_matter and code == 1:
                self._font(place, at, style, int(stored) if kind == "s" else -1)
            if any_bold:
                (self.bold if style in bold else self.not_bold).add(number)
            if hidden:
                self.hidden.add(number)
        self.at = at

    def _font(self, place: str, at: int, style: str, position: int) -> None:
        """Keep the font of a text in the cell, or of its runs, where one of them is of a legacy encoding."""
        own = self.styles.encodings.get(style)
        runs = self.inline if position < 0 else self.shared.runs.get(position)
        if runs and (own or any(e not in (None, UNICODE) for _, e in runs)):
            self.fonts.setdefault(place, {})[at] = tuple((text, own if e is None else e) for text, e in runs)
        elif own:
            self.fonts.setdefault(place, {})[at] = own

    def _column(self, place: str) -> tuple[list[str], bytearray]:
        column_number(place)
        if len(self.columns) >= self.limits.columns:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "columns", n=self.limits.columns))
        return self.columns.setdefault(place, ([], bytearray()))

    def _frame(self) -> pl.DataFrame:
        height = max((len(texts) for texts, _ in self.columns.values()), default=0)
        self._bound(height)
        # one shared string costs a pointer in each cell, until it is spelled out
        if sum(sum(map(len, texts)) for texts, _ in self.columns.values()) > self.limits.text_bytes:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "text_mb", n=self.limits.text_bytes // MIB))
        series = [pl.Series("_row", np.array(self.rows[:height], dtype=np.int32))]
        for place in sorted(self.columns, key=column_number):
            texts, kinds = self.columns[place]
            gap = height - len(texts)
            texts.extend([""] * gap)
            kinds.extend(bytes(gap))
            series.append(pl.Series(place, texts, dtype=pl.String))
            series.append(pl.Series(place + KIND, np.frombuffer(kinds, dtype=np.uint8)))
        frame = pl.DataFrame(series)
        return frame if self.places is None else frame.sort("_row")


def _scan(data: bytes, sheet: _Sheet) -> Grid:
    """Rows by pattern, in slices; what stands around them by lxml. Raises :class:`_Unusual`."""
    start, end = data.find(b"<sheetData>") + 11, data.rfind(b"</sheetData>")
    if start < 11 or end < start or b"<!" in data or b"\xef\xbf" in data:  # markup; U+FFFE and its like
        raise _Unusual
    if len(data.translate(None, _NOT_PLAIN)) != len(data) - data[:start].count(b"\r"):
        raise _Unusual
    root = etree.fromstring(data[:start] + data[end:], xml_parser())
    names = [ns for ns in _NAMESPACES if root.tag == f"{ns}worksheet"]
    if not names or root.prefix or root.find(f"{names[0]}sheetData") is None or not _is_utf8(root):
        raise _Unusual
    while start < end:
        cut = data.find(b"</row>", start + _SLICE, end)
        cut = end if cut < 0 else cut + 6
        try:
            text = data[start:cut].decode()
        except UnicodeDecodeError:
            raise _Unusual from None
        if "&#" in text:  # openpyxl writes every letter beyond ASCII so
            text = _letters_in(text)
        sheet.inlined = sheet.inlined or not text.isascii()
        sheet.take(_SCAN.findall(text))
        start = cut
    if sheet.at >= 0:
        raise _Unusual
    return sheet.grid(e.get("ref", "") for e in root.iterfind(f"{names[0]}mergeCells/{names[0]}mergeCell"))


def _walk(stream: IO[bytes], sheet: _Sheet) -> Grid:
    """A sheet part in any form that XML allows."""
    merged: list[str] = []
    sheet.fonts_matter = sheet.inlined = True  # inline texts may state fonts of their own
    for element in _elements(stream, "row", "mergeCell"):
        if not element.tag.endswith("row"):
            merged.append(element.get("ref", ""))
            continue
        stated = element.get("r")
        if stated is None and len(element) and (first := element[0].get("r")):
            stated = first.lstrip(_LETTERS)
        sheet.start_row(stated, element.get("hidden") in _TRUE)
        sheet.take(_cells(element, sheet))
    return sheet.grid(merged)


def _cells(row: Any, sheet: _Sheet) -> Iterator[_Token]:
    place = ""
    for cell in row:
        reference = cell.get("r")
        place = reference.rstrip(DIGITS) if reference else letters(column_number(place) + 1 if place else 1)
        formula = empty = stored = is_inline = inline = ""
        sheet.inline = None
        for child in cell:
            name = child.tag.rsplit("}", 1)[-1]
            if name == "v":
                stored = child.text or ""
                empty = "" if stored else "v"
            elif name == "f":
                formula = "f"
            elif name == "is":
                is_inline, inline, sheet.inline = "is", _rich_text(child), _runs(child)
        yield "", place, cell.get("s", ""), cell.get("t", ""), formula, empty, stored, is_inline, inline, "", "", "", ""


def _is_utf8(root: Any) -> bool:
    return (root.getroottree().docinfo.encoding or "UTF-8").upper() in ("UTF-8", "ASCII", "US-ASCII")


def _range(reference: str) -> tuple[int, int, int, int]:
    """'B2:C4' -> (2, 2, 4, 3); a single cell is a range of one."""
    first, _, last = reference.replace("$", "").partition(":")
    last = last or first
    left, right = first.rstrip(DIGITS), last.rstrip(DIGITS)
    return int(first[len(left) :]), column_number(left), int(last[len(right) :]), column_number(right)
