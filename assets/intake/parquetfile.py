"""Bytes of a Parquet file -> a grid of text and kinds.

Here: bounds by the file's own metadata, types made text. Not here: any guess; a column of lists or structs is refused.
"""

from __future__ import annotations

import io
from typing import Any

import polars as pl

from schemas import messages
from schemas.grid import KIND, Grid, Kind, Unreadable

from .cells import in_unicode
from .jsonfile import plain_number
from .limits import MIB, Limits
from .workbook import letters, shortest

_HERE = "Asia/Ho_Chi_Minh"


def read_parquet(data: bytes, limits: Limits | None = None) -> list[Grid]:
    """The table as one grid. Row 1 holds the names of the columns, so that the first record is row 2.

    A moment with a time zone is Vietnam time; fractions of a second are cut off. Null is BLANK, NaN a text. Decimals keep
    their digits, without zeros behind the last one.

    Raises :class:`Unreadable`: DAMAGED_FILE, UNSUPPORTED_FORMAT (nested columns, binary data, encryption), TOO_LARGE.
    """
    limits = limits or Limits()
    import pyarrow as pa
    import pyarrow.parquet as pq

    if data.startswith(b"PARE"):
        raise Unreadable("PASSWORD")
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        _bound(file.metadata, limits)
        if any(pa.types.is_nested(f.type) and not pa.types.is_dictionary(f.type) for f in file.schema_arrow):
            raise Unreadable("UNSUPPORTED_FORMAT", format=messages.text("format", "nested_parquet"))
        # Texts come as numbers into a dictionary: so their size is known before they are spelled out.
        texts = [f.name for f in file.schema_arrow if pa.types.is_binary(f.type) or pa.types.is_string(f.type)]
        file = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts)
        table = file.read().replace_schema_metadata(None)
        _ = table.column_names  # raises where they are not UTF-8, of which Polars would die
        table.validate(full=True)
        _bound_texts(table, limits)
        return [_grid(pl.DataFrame(pl.from_arrow(table)), limits)]
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, LookupError, OverflowError) as error:
        # The text of the error may hold cell values: not kept.
        raise Unreadable("DAMAGED_FILE", format="Parquet") from error


def _bound(metadata: Any, limits: Limits) -> None:
    rows, columns = metadata.num_rows, metadata.num_columns
    if columns > limits.columns:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "columns", n=limits.columns))
    if rows + 1 > limits.rows:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "rows", n=limits.rows))
    if rows * columns > limits.cells:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "cells", n=limits.cells))
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != rows:
        raise ValueError("row groups")
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > limits.unpacked_bytes:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "unpacked_mb", n=limits.unpacked_bytes // MIB))


def _bound_texts(table: Any, limits: Limits) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    size = 0
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            size += pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)).as_py() or 0
    if size > limits.text_bytes:
        raise Unreadable("TOO_LARGE", limit=messages.text("limit", "text_mb", n=limits.text_bytes // MIB))


def _grid(frame: pl.DataFrame, limits: Limits) -> Grid:
    height = frame.height + 1
    series = [pl.int_range(1, height + 1, dtype=pl.Int32, eager=True).alias("_row")]
    size = 0
    for number, column in enumerate(frame.iter_columns(), 1):
        texts, kind = _texts(column)
        size += int(texts.str.len_bytes().sum() or 0)
        if size > limits.text_bytes:
            raise Unreadable("TOO_LARGE", limit=messages.text("limit", "text_mb", n=limits.text_bytes // MIB))
        letter = letters(number)
        texts = pl.concat([pl.Series([column.name], dtype=pl.String), texts]).alias(letter)
        kinds = pl.concat([pl.Series([int(Kind.TEXT)], dtype=pl.UInt8), kind])
        blank = texts.str.len_bytes() == 0
        series += [texts, kinds.set(blank, int(Kind.BLANK)).alias(letter + KIND)]
    decoded, notes = in_unicode(pl.DataFrame(series), messages.text("where", "file"), set())
    return Grid(name="", index=0, frame=decoded, notes=notes)


def _texts(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Texts ('' for null) and kinds of a column."""
    kind = Kind.NUMBER
    dtype = column.dtype
    if dtype.is_integer():
        texts = column.cast(pl.String)
    elif dtype.is_float() or dtype.is_decimal():
        return _numbers(column)
    elif dtype == pl.Boolean:
        texts, kind = column.cast(pl.String), Kind.BOOLEAN
    elif dtype == pl.Date:
        texts, kind = column.dt.to_string("%Y-%m-%d"), Kind.DATE
    elif isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            column = column.dt.convert_time_zone(_HERE).dt.replace_time_zone(None)
        texts = column.dt.to_string("%Y-%m-%dT%H:%M:%S").str.strip_suffix("T00:00:00")
        kind = Kind.DATE
    elif dtype == pl.Time:
        texts, kind = column.dt.to_string("%H:%M:%S"), Kind.TEXT
    elif dtype in (pl.String, pl.Categorical, pl.Enum, pl.Binary, pl.Null):
        # older writers do not say that their bytes are texts; what is not UTF-8 raises
        texts, kind = column.cast(pl.String), Kind.TEXT
    else:
        raise Unreadable("UNSUPPORTED_FORMAT", format=messages.text("format", "other_parquet"))
    return texts.fill_null(""), pl.repeat(int(kind), len(column), dtype=pl.UInt8, eager=True)


def _numbers(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Fractions, each distinct one looked at once; one that is not finite is a text."""
    texts = column.cast(pl.String).fill_null("")
    form = plain_number if column.dtype.is_decimal() else shortest
    distinct = texts.unique().to_list()
    plain = {text: form(text) for text in distinct if text}
    shown = texts.replace({text: number for text, number in plain.items() if number is not None})
    odd = texts.is_in([text for text, number in plain.items() if number is None])
    kinds = pl.repeat(int(Kind.NUMBER), len(column), dtype=pl.UInt8, eager=True)
    return shown, kinds.set(odd, int(Kind.TEXT))
