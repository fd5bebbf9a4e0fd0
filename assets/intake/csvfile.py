"""Bytes of a CSV -> grids of text, whole or in batches of bounded rows.

Here: encoding (by mark, UTF-8, UTF-16, else by the share of valid syllables), separator, records and cells as RFC 4180 has
them and Python's :mod:`csv` in strict mode reads them. Not here: what a text means; every cell that is not empty is a
text, NUL bytes, ``\\N``, NA and NULL included.

All encodings leave ASCII as it is, so bytes that are no Unicode are read as Windows-1252, cut to cells, and decoded cell by
cell (:mod:`.decoding`).

Two readers give the same answer: :mod:`csv`, and Polars for a block of lines of which a few counts over its bytes show
that Polars cannot read it otherwise. A property test holds them to it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from schemas import messages
from schemas.grid import KIND, Grid, Kind, Problem, Unreadable

from .decoding import Decoder, with_kinds
from .encodings import AS_CP1252, AS_IT_STANDS, Choice, detect, unmarked_utf16, words_of
from .limits import Limits
from .workbook import letters

_SEPARATORS = (",", ";", "\t", "|")
_HEAD = 1 << 16
_BLOCK = 1 << 24
_PLAIN_MIN = 1 << 15
"""Blocks of fewer bytes than this are read by :mod:`csv` at once: there Polars' fixed cost is the greater."""
_MAX_RECORD = 1 << 27
_NUMBER = re.compile(r"[-+]?\d[\d.,]*")


@dataclass(frozen=True)
class CsvForm:
    """How a file is written. ``encoding``: 'utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be' or '8-bit'; ``stated``:
    a first line 'sep=…' says the separator (that line is no record); ``record_bytes``: mean size of the first records;
    ``choice``: how the texts of its cells are read, None where there was no letter beyond ASCII to tell it by."""

    encoding: str
    separator: str
    stated: bool = False
    record_bytes: float = 100.0
    choice: Choice | None = None


def csv_form(head: bytes) -> CsvForm:
    """Encoding and separator from the first bytes of a file (64 KiB are looked at).

    Raises :class:`Unreadable` NOT_UTF8 where they are UTF-32, or damaged UTF-16.
    """
    head = head[:_HEAD]
    whole = len(head) < _HEAD
    encoding = _encoding(head)
    choice = None
    if encoding in ("utf-8", "utf-8-sig"):
        eight_bit, choice = _tell(head, whole, encoding == "utf-8-sig")
        encoding = "8-bit" if eight_bit else encoding
    try:
        text = _of_bytes(head) if encoding == "8-bit" else _decoded(head, encoding, whole, _errors(encoding))
    except UnicodeDecodeError as error:
        raise Unreadable("NOT_UTF8") from error
    if encoding.startswith("utf-16"):
        choice = detect(words_of([text]), arrived_as_unicode=True)
    if stated := re.match(r"sep=([,;\t|])\r?(?:\n|$)", text, re.IGNORECASE):
        return CsvForm(encoding, stated[1], True, choice=choice)
    separator, records = _separator(text, whole)
    return CsvForm(encoding, separator, False, len(head) / max(records, 1), choice)


def read_csv(data: bytes, limits: Limits | None = None) -> Grid:
    """A whole CSV as one grid; see :func:`iter_csv` for shape and errors. Its form: :func:`csv_form`."""
    grids = list(iter_csv(io.BytesIO(data), batch_rows=1 << 30, limits=limits))
    return grids[0] if grids else Grid(name="", index=0, frame=pl.DataFrame(schema={"_row": pl.Int32}))


def read_one(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """A whole CSV as the only grid of its file, in the form of the readers of workbooks; TOO_LARGE as they."""
    limits = limits or Limits()
    grid = read_csv(data, limits)
    if grid.frame.height > limits.rows:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "rows", n=limits.rows))
    return [grid]


def iter_csv(
    source: str | Path | IO[bytes], *, batch_rows: int = 100_000, limits: Limits | None = None
) -> Iterator[Grid]:
    """The records of a CSV in grids of at most ``batch_rows`` rows; memory is bounded by the batch, not by the file.

    ``_row`` is the record's number in the file from 1 (a record with line breaks in quotes counts once, an empty line
    counts, a line 'sep=;' does not). Kinds are TEXT and BLANK (text ''). A record with fewer cells than others is
    filled with blanks, further cells get columns of their own: a later grid has at least the columns of an earlier one.
    ``cells`` says how many cells each record has.

    A cell that may be in several encodings is of kind UNDECODED; bytes that are wrong in a file of UTF-8 are U+FFFD in its
    cells. ``notes`` say so, each grid's of its own rows.

    Raises :class:`Unreadable`, possibly after some grids were handed out: NOT_UTF8 (UTF-32, damaged UTF-16), BROKEN_CSV
    (``row``: the record in which the quotes are wrong), TOO_LARGE (``limit``: columns; cells of a batch: one wide record makes
    all others as wide).
    """
    if isinstance(source, (str, Path)):
        with open(source, "rb") as file:
            yield from _batches(file, batch_rows, limits=limits)
    else:
        yield from _batches(source, batch_rows, limits=limits)


def _batches(
    file: IO[bytes],
    batch_rows: int,
    block_bytes: int = _BLOCK,
    plain_min: int = _PLAIN_MIN,
    limits: Limits | None = None,
) -> Iterator[Grid]:
    """Frames of blocks cut and joined to batches, with numbers and kinds."""
    limits = limits or Limits()
    head = file.read(_HEAD)
    form = csv_form(head)
    # No block need be much larger than a batch.
    block_bytes = max(1, min(block_bytes, int(batch_rows * form.record_bytes * 1.1)))
    waiting: list[pl.DataFrame] = []
    rows = given = width = 0
    lines = _Lines(file, head, form, block_bytes)
    for frame in _frames(lines, form, plain_min, limits):
        waiting.append(frame)
        rows += frame.height
        _bound(rows, max(width, frame.width), limits)
        while rows >= batch_rows:
            joined = _join(waiting)
            width = max(width, joined.width)
            yield _grid(joined.head(batch_rows), given, width, lines)
            given += batch_rows
            rows -= batch_rows
            waiting = [joined.slice(batch_rows)] if rows else []
    if rows:
        joined = _join(waiting)
        yield _grid(joined, given, max(width, joined.width), lines)


def _bound(rows: int, columns: int, limits: Limits) -> None:
    if columns > limits.columns:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "columns", n=limits.columns))
    if rows * columns > limits.cells:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=limits.cells))


def _join(frames: list[pl.DataFrame]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    if len({frame.width for frame in frames}) == 1:
        return pl.concat(frames)
    return pl.concat(frames, how="diagonal")


def _grid(frame: pl.DataFrame, before: int, width: int, lines: _Lines) -> Grid:
    """Texts (null: the record has no such cell) with numbers and kinds."""
    names = [letters(number) for number in range(1, width + 1)]
    ragged = any(frame.null_count().row(0))
    cells = pl.sum_horizontal(pl.all().is_not_null()) if ragged else pl.repeat(frame.width, pl.len(), dtype=pl.UInt32)
    counted = frame.select(cells.cast(pl.UInt32).alias("cells")).to_series()
    if ragged:
        frame = frame.fill_null("")
    unread: dict[str, pl.Series] = {}
    if lines.decoder is not None:
        frame, unread = lines.decoder.decode(frame)
    columns: list[pl.Expr] = [pl.int_range(before + 1, before + frame.height + 1, dtype=pl.Int32).alias("_row")]
    for name in names:
        if name in frame.columns:
            blank = pl.col(name).str.len_bytes() == 0
            kind = pl.when(blank).then(int(Kind.BLANK)).otherwise(int(Kind.TEXT)).cast(pl.UInt8)
            columns += [pl.col(name), kind.alias(name + KIND)]
        else:
            columns += [pl.lit("").alias(name), pl.lit(int(Kind.BLANK), pl.UInt8).alias(name + KIND)]
    frame = with_kinds(frame.select(columns), unread)
    return Grid(name="", index=0, frame=frame, cells=counted, notes=lines.notes())


# ------------------------------------------------------------------------------------------------- encoding, separator


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable("NOT_UTF8")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if unmarked := unmarked_utf16(head):
        return unmarked
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


def _decoded(data: bytes, encoding: str, whole: bool, errors: str = "strict") -> str:
    return codecs.getincrementaldecoder(encoding)(errors).decode(data, whole)


def _errors(encoding: str) -> str:
    """A wrong byte in UTF-8 spoils one letter, in UTF-16 a lost one spoils all that follow."""
    return "strict" if encoding.startswith("utf-16") else "replace"


def _of_bytes(data: bytes) -> str:
    """Bytes as code points of Windows-1252."""
    return codecs.charmap_decode(data, "strict", AS_CP1252)[0]


def _tell(data: bytes, whole: bool, marked: bool) -> tuple[bool, Choice | None]:
    """Whether bytes are no UTF-8, and how their texts are read; None where all is ASCII. ``whole``: no character is cut.

    Bytes that are no UTF-8 may be UTF-8 with some wrong bytes: then whole words remain that are Vietnamese as UTF-8,
    which they are by chance in no other encoding. Such a file stays UTF-8, and only the cells with wrong bytes are lost.
    """
    if data.isascii():
        return False, None
    mended = _decoded(data, "utf-8", whole, "replace")
    as_unicode = detect(words_of([mended]), arrived_as_unicode=True)
    if marked or "\ufffd" not in mended or _decodable(data, whole):
        return False, as_unicode
    as_bytes = detect(words_of([_of_bytes(data)]), arrived_as_unicode=False)
    if as_unicode.encoding and as_unicode.share > (as_bytes.share if as_bytes.encoding else 0.2):
        return False, as_unicode
    return True, as_bytes


def _decodable(data: bytes, whole: bool) -> bool:
    try:
        _decoded(data, "utf-8", whole)
    except UnicodeDecodeError:
        return False
    return True


def _separator(text: str, whole: bool) -> tuple[str, int]:
    """The separator under which the first records agree best on a number of cells, and how many records there are.

    Titles before the header have another number of cells under any separator and cost all alike. A comma may be in
    every row as a decimal comma, but then the first record of that width, the header, would hold a number.
    """
    lines = list(io.StringIO(text, newline=""))
    best, best_score = ",", 0.0
    for separator in _SEPARATORS:
        if separator not in text:
            continue
        records = []
        try:
            for record in csv.reader(lines, delimiter=separator):
                records.append(record)
        except csv.Error:
            pass
        if not whole and len(records) > 1:
            records.pop()  # cut off
        records = [r for r in records if any(c.strip() for c in r)][:200]
        widths = Counter(len(r) for r in records if len(r) > 1)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] - 1), item[0]))
        score = count / len(records) * (1 - 1 / width)
        first = next(r for r in records if len(r) == width)
        if any(_NUMBER.fullmatch(c.strip()) for c in first):
            score /= 2
        if score > best_score:
            best, best_score = separator, score
    return best, max(len(lines), 1)


# ------------------------------------------------------------------------------------------------------ blocks of lines


class _Lines:
    """The file as UTF-8 without mark, handed out in blocks that end with a line, or further lines where asked."""

    def __init__(self, file: IO[bytes], head: bytes, form: CsvForm, block_bytes: int) -> None:
        self.file, self.block_bytes = file, block_bytes
        self.ended = False
        self.decoder: Decoder | None = None
        """Decodes the texts of cells, once there is a letter beyond ASCII."""
        self.eight_bit = form.encoding == "8-bit"
        self.damaged = False
        self.said: list[Problem] = []
        self.utf16 = codecs.getincrementaldecoder(form.encoding)() if form.encoding.startswith("utf-16") else None
        if form.encoding in ("utf-16-le", "utf-16-be") and form.choice is not None:
            where, encoding = (messages.text("where", key) for key in ("whole_file", "no_mark"))
            params = {"where": where, "encoding": encoding, "share": f"{form.choice.share * 100:.0f}"}
            self.said.append(Problem("ENCODING_READ", params))
        if form.choice is not None:
            self.decoder = Decoder(form.choice, not self.eight_bit)
        first = self._utf8(head)
        if form.encoding == "utf-8-sig":
            first = first[3:]
        if form.stated:
            first = first[re.match(rb"[^\n]*(?:\n|$)", first).end() :]  # type: ignore[union-attr]
        self.rest = first

    def _utf8(self, data: bytes) -> bytes:
        if self.eight_bit:
            return _of_bytes(data).encode()
        if self.utf16 is None:
            return data
        try:
            return self.utf16.decode(data, not data).encode()
        except UnicodeError as error:
            raise Unreadable("NOT_UTF8") from error

    def look(self) -> None:
        """Choose the encoding at the first letter beyond ASCII; it may come late in a file."""
        if self.decoder is not None or self.rest.isascii():
            return
        first: re.Match[bytes] = re.search(rb"[\x80-\xff]", self.rest)  # type: ignore[assignment]
        self.eight_bit, choice = _tell(self.rest[first.start() : first.start() + _HEAD], False, False)
        self.decoder = Decoder(choice or AS_IT_STANDS, not self.eight_bit)
        if self.eight_bit:
            self.rest = _of_bytes(self.rest).encode()

    def mend(self, size: int) -> None:
        """Put U+FFFD for what is no UTF-8 among the first ``size`` bytes, which end with a line."""
        self.rest = self.rest[:size].decode("utf-8", "replace").encode() + self.rest[size:]
        if not self.damaged:
            self.damaged = True
            self.said.append(Problem("BAD_BYTES"))

    def notes(self) -> list[Problem]:
        """What is to be told since the last call."""
        said, self.said = self.said, []
        return said + (self.decoder.notes() if self.decoder is not None else [])

    def fill(self, size: int) -> None:
        """Have at least ``size`` bytes at hand, if the file has them."""
        parts = [self.rest]
        have = len(self.rest)
        while have < size and not self.ended:
            data = self.file.read(max(size - have, _HEAD))
            self.ended = not data
            parts.append(self._utf8(data))
            have += len(parts[-1])
        self.rest = b"".join(parts)

    def take(self, size: int) -> bytes:
        block, self.rest = self.rest[:size], self.rest[size:]
        return block


def _frames(lines: _Lines, form: CsvForm, plain_min: int, limits: Limits | None = None) -> Iterator[pl.DataFrame]:
    """One frame of texts per block, the fast way where it is the same."""
    limits = limits or Limits()
    records_before = 0
    width = 1
    size = lines.block_bytes
    while True:
        lines.fill(size)
        if not lines.rest:
            return
        lines.look()
        final = lines.ended
        frame: pl.DataFrame | None = None
        plain = _plain(lines.rest, form.separator, final) if len(lines.rest) >= plain_min else None
        if plain:
            frame = _by_polars(lines.rest[: plain.size], form.separator, width, plain.records, limits)
            taken = plain.size
        if frame is None:
            size = len(lines.rest) if final else _line_end(lines.rest)
            try:
                records, taken = _by_csv(lines.rest[:size], form.separator, final, records_before)
            except UnicodeDecodeError:
                lines.mend(size)
                size = lines.block_bytes
                continue
            if not records:  # one record is longer than the block
                size = 2 * len(lines.rest)
                if size > _MAX_RECORD:
                    raise Unreadable("TOO_LARGE", limit=messages.text("limit", "row_mb", n=_MAX_RECORD >> 20))
                continue
            frame = _columns(records, limits)
        size = lines.block_bytes
        lines.take(taken)
        records_before += frame.height
        width = frame.width
        if frame.height:
            yield frame


def _line_end(data: bytes) -> int:
    """Behind the last line break that is whole for certain (a CR at the very end may be half of a CRLF)."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1


# --------------------------------------------------------------------------------------------------------- Python's csv


def _by_csv(block: bytes, separator: str, final: bool, before: int) -> tuple[list[list[str]], int]:
    """The records of a block of whole lines, and the bytes that they take: less than the block where its last record
    goes on behind it. Raises :class:`UnicodeDecodeError`."""
    text = block.decode()
    records: list[list[str]] = []
    lines = 0
    # newline='' splits at CR, LF and CRLF and at nothing else, and leaves them as they are
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for record in reader:
            records.append(record)
            lines = reader.line_num
    except csv.Error as error:
        if "unexpected end of data" in str(error) and not final:
            read = sum(len(line) for line in islice(io.StringIO(text, newline=""), lines))
            return records, len(text[:read].encode())
        raise Unreadable("BROKEN_CSV", row=before + len(records) + 1) from None
    return records, len(block)


def _columns(records: list[list[str]], limits: Limits) -> pl.DataFrame:
    """Texts by column; null where a record has no such cell."""
    _bound(len(records), max(map(len, records), default=0), limits)
    columns = list(zip_longest(*records)) or ([("",) * len(records)] if records else [])
    return pl.DataFrame([pl.Series(letters(i), column, dtype=pl.String) for i, column in enumerate(columns, 1)])


# --------------------------------------------------------------------------------------------------------------- Polars


@dataclass(frozen=True)
class _Plain:
    """A block that Polars reads as :mod:`csv` does: its size in bytes and its records."""

    size: int
    records: int


def _plain(data: bytes, separator: str, final: bool) -> _Plain | None:
    """How far the bytes at hand are plain, or None where they are not plain at all.

    Plain: each CR is part of a CRLF outside quotes; quotes come in pairs, the first of each at the begin of a cell (or
    right after the second of the pair before: a doubled quote), the second at the end of a cell; no line breaks in
    quotes; it ends with a line.
    """
    size = len(data) if final else data.rfind(b"\n") + 1
    if not size:
        return None
    if b"\r" in data and data.count(b"\r", 0, size) != data.count(b"\r\n", 0, size):
        return None
    lines = data.count(b"\n", 0, size) + (data[size - 1] != 10)
    if data.find(b'"', 0, size) < 0:
        return _Plain(size, lines)
    array = np.frombuffer(data, dtype=np.uint8, count=size)
    quotes = np.flatnonzero(array == 34)
    if len(quotes) % 2:
        return None
    opening, closing = quotes[0::2], quotes[1::2]
    edges = np.zeros(256, dtype=bool)
    edges[[ord(separator), 10]] = True
    before = edges[array[np.maximum(opening - 1, 0)]] | (opening == 0)
    before[1:] |= opening[1:] == closing[:-1] + 1
    edges[13] = True
    after = edges[array[np.minimum(closing + 1, size - 1)]] | (closing == size - 1)
    after[:-1] |= closing[:-1] + 1 == opening[1:]
    if not (before.all() and after.all()):
        return None
    breaks = np.flatnonzero(array == 10)
    if (np.searchsorted(quotes, breaks) % 2).any():
        return None
    return _Plain(size, lines)


def _by_polars(block: bytes, separator: str, width: int, records: int, limits: Limits) -> pl.DataFrame | None:
    """The same as :func:`_by_csv` for a plain block; None where Polars finds more cells than columns or bad UTF-8.

    ``width``: columns known so far; the block's first record may have more.
    """
    try:
        first = next(csv.reader([block[: block.find(b"\n") + 1 or None].decode()], delimiter=separator, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    width = max(width, len(first))
    _bound(records, width, limits)
    names = [letters(number) for number in range(1, width + 1)]
    # A made-up first record of full width: Polars refuses a schema that the first line falls short of.
    guide = separator.encode() * (width - 1) + b"\n"
    # An empty last cell too many goes unnoticed by Polars where no line break follows.
    end = b"" if block.endswith(b"\n") else b"\n"
    try:
        frame = pl.read_csv(
            guide + block + end,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=separator,
            empty_string_is_null=False,
            raise_if_empty=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != records + 1:
        return None
    return frame.slice(1)
