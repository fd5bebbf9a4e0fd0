"""Bytes of a CSV -> grids of text, whole or in batches of bounded rows.

Here: encoding (by mark or UTF-8, nothing is guessed), separator, records and cells as RFC 4180 has them and Python's
:mod:`csv` in strict mode reads them. Not here: what a text means; every cell that is not empty is a text, NUL bytes,
``\\N``, NA and NULL included.

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

from schemas.grid import KIND, Grid, Kind, Unreadable

from .workbook import letters

_SEPARATORS = (",", ";", "\t", "|")
_HEAD = 1 << 16
_BLOCK = 1 << 24
_PLAIN_MIN = 1 << 15
"""Blocks of fewer bytes than this are read by :mod:`csv` at once: there Polars' fixed cost is the greater."""
_MAX_COLUMNS = 16_384
_MAX_RECORD = 1 << 27
_NUMBER = re.compile(r"[-+]?\d[\d.,]*")


@dataclass(frozen=True)
class CsvForm:
    """How a file is written. ``encoding``: 'utf-8', 'utf-8-sig' or 'utf-16'; ``stated``: a first line 'sep=…' says the
    separator (that line is no record); ``record_bytes``: mean size of the first records."""

    encoding: str
    separator: str
    stated: bool = False
    record_bytes: float = 100.0


def csv_form(head: bytes) -> CsvForm:
    """Encoding and separator from the first bytes of a file (64 KiB are looked at).

    Raises :class:`Unreadable` NOT_UTF8 where they are text in neither UTF-8 nor, by its mark, UTF-16.
    """
    whole = len(head) < _HEAD
    encoding = _encoding(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head[:_HEAD], whole)
    except UnicodeDecodeError as error:
        raise Unreadable("NOT_UTF8") from error
    if stated := re.match(r"sep=([,;\t|])\r?(?:\n|$)", text, re.IGNORECASE):
        return CsvForm(encoding, stated[1], True)
    separator, records = _separator(text, whole)
    return CsvForm(encoding, separator, False, min(len(head), _HEAD) / max(records, 1))


def read_csv(data: bytes) -> Grid:
    """A whole CSV as one grid; see :func:`iter_csv` for shape and errors. Its form: :func:`csv_form`."""
    grids = list(iter_csv(io.BytesIO(data), batch_rows=1 << 30))
    return grids[0] if grids else Grid(name="", index=0, frame=pl.DataFrame(schema={"_row": pl.Int32}))


def read_one(data: bytes) -> list[Grid]:
    """A whole CSV as the only grid of its file, in the form of the readers of workbooks."""
    return [read_csv(data)]


def iter_csv(source: str | Path | IO[bytes], *, batch_rows: int = 100_000) -> Iterator[Grid]:
    """The records of a CSV in grids of at most ``batch_rows`` rows; memory is bounded by the batch, not by the file.

    ``_row`` is the record's number in the file from 1 (a record with line breaks in quotes counts once, an empty line
    counts, a line 'sep=;' does not). Kinds are TEXT and BLANK (text ''). A record with fewer cells than others is
    filled with blanks, further cells get columns of their own: a later grid has at least the columns of an earlier one.
    ``cells`` says how many cells each record has.

    Raises :class:`Unreadable`, possibly after some grids were handed out: NOT_UTF8, BROKEN_CSV (``row``: the record in
    which the quotes are wrong), TOO_LARGE (``limit``: columns).
    """
    if isinstance(source, (str, Path)):
        with open(source, "rb") as file:
            yield from _batches(file, batch_rows)
    else:
        yield from _batches(source, batch_rows)


def _batches(
    file: IO[bytes], batch_rows: int, block_bytes: int = _BLOCK, plain_min: int = _PLAIN_MIN
) -> Iterator[Grid]:
    """Frames of blocks cut and joined to batches, with numbers and kinds."""
    head = file.read(_HEAD)
    form = csv_form(head)
    # No block need be much larger than a batch.
    block_bytes = max(1, min(block_bytes, int(batch_rows * form.record_bytes * 1.1)))
    waiting: list[pl.DataFrame] = []
    rows = given = width = 0
    for frame in _frames(_Lines(file, head, form, block_bytes), form, plain_min):
        waiting.append(frame)
        rows += frame.height
        while rows >= batch_rows:
            joined = _join(waiting)
            width = max(width, joined.width)
            yield _grid(joined.head(batch_rows), given, width)
            given += batch_rows
            rows -= batch_rows
            waiting = [joined.slice(batch_rows)] if rows else []
    if rows:
        joined = _join(waiting)
        yield _grid(joined, given, max(width, joined.width))


def _join(frames: list[pl.DataFrame]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    if len({frame.width for frame in frames}) == 1:
        return pl.concat(frames)
    return pl.concat(frames, how="diagonal")


def _grid(frame: pl.DataFrame, before: int, width: int) -> Grid:
    """Texts (null: the record has no such cell) with numbers and kinds."""
    names = [letters(number) for number in range(1, width + 1)]
    ragged = any(frame.null_count().row(0))
    cells = pl.sum_horizontal(pl.all().is_not_null()) if ragged else pl.repeat(frame.width, pl.len(), dtype=pl.UInt32)
    counted = frame.select(cells.cast(pl.UInt32).alias("cells")).to_series()
    if ragged:
        frame = frame.fill_null("")
    columns: list[pl.Expr] = [pl.int_range(before + 1, before + frame.height + 1, dtype=pl.Int32).alias("_row")]
    for name in names:
        if name in frame.columns:
            blank = pl.col(name).str.len_bytes() == 0
            kind = pl.when(blank).then(int(Kind.BLANK)).otherwise(int(Kind.TEXT)).cast(pl.UInt8)
            columns += [pl.col(name), kind.alias(name + KIND)]
        else:
            columns += [pl.lit("").alias(name), pl.lit(int(Kind.BLANK), pl.UInt8).alias(name + KIND)]
    return Grid(name="", index=0, frame=frame.select(columns), cells=counted)


# ------------------------------------------------------------------------------------------------- encoding, separator


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable("NOT_UTF8")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # UTF-16 without its mark is often valid UTF-8 full of NULs; a stray NUL in a text is not.
    if head.count(0) * 5 > len(head):
        raise Unreadable("NOT_UTF8")
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


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
        self.decoder = codecs.getincrementaldecoder("utf-16")() if form.encoding == "utf-16" else None
        first = self._utf8(head)
        if form.encoding == "utf-8-sig":
            first = first[3:]
        if form.stated:
            first = first[re.match(rb"[^\n]*(?:\n|$)", first).end() :]  # type: ignore[union-attr]
        self.rest = first

    def _utf8(self, data: bytes) -> bytes:
        if self.decoder is None:
            return data
        try:
            return self.decoder.decode(data, not data).encode()
        except UnicodeError as error:
            raise Unreadable("NOT_UTF8") from error

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


def _frames(lines: _Lines, form: CsvForm, plain_min: int) -> Iterator[pl.DataFrame]:
    """One frame of texts per block, the fast way where it is the same."""
    records_before = 0
    width = 1
    size = lines.block_bytes
    while True:
        lines.fill(size)
        if not lines.rest:
            return
        final = lines.ended
        frame: pl.DataFrame | None = None
        plain = _plain(lines.rest, form.separator, final) if len(lines.rest) >= plain_min else None
        if plain:
            frame = _by_polars(lines.rest[: plain.size], form.separator, width, plain.records)
            taken = plain.size
        if frame is None:
            size = len(lines.rest) if final else _line_end(lines.rest)
            records, taken = _by_csv(lines.rest[:size], form.separator, final, records_before)
            if not records:  # one record is longer than the block
                size = 2 * len(lines.rest)
                if size > _MAX_RECORD:
                    raise Unreadable("TOO_LARGE", limit=f"{_MAX_RECORD >> 20} MB một dòng")
                continue
            frame = _columns(records)
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
    goes on behind it."""
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("NOT_UTF8") from error
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


def _columns(records: list[list[str]]) -> pl.DataFrame:
    """Texts by column; null where a record has no such cell."""
    if max(map(len, records), default=0) > _MAX_COLUMNS:
        raise Unreadable("TOO_LARGE", limit=f"{_MAX_COLUMNS} cột")
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


def _by_polars(block: bytes, separator: str, width: int, records: int) -> pl.DataFrame | None:
    """The same as :func:`_by_csv` for a plain block; None where Polars finds more cells than columns or bad UTF-8.

    ``width``: columns known so far; the block's first record may have more.
    """
    try:
        first = next(csv.reader([block[: block.find(b"\n") + 1 or None].decode()], delimiter=separator, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    width = max(width, len(first))
    if width > _MAX_COLUMNS:
        return None
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
