"""COPY: the one border where frames become PostgreSQL rows. Nulls are NULL, text is text, whatever it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence

import polars as pl
import psycopg
from psycopg import sql

_SLICE = 16_384
_BINARY_FROM = 20_000
"""Rows from which the binary form, twice as quick for the server, is worth the import of its encoder."""


def copy_frame(
    connection: psycopg.Connection,
    table: Sequence[str],
    frame: pl.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    typed: bool = False,
) -> int:
    """COPY a frame into ``schema.table``; rows written. Column names are the frame's own unless given.

    ``typed``: the frame's types are those of the table, to the width of an integer; else all goes as text.
    Text cells must be free of NUL (the cleaners see to it); an empty string stays an empty string, null is NULL.
    """
    if frame.is_empty():
        return 0
    binary = typed and frame.height >= _BINARY_FROM and not any(t.is_decimal() or t.is_float() for t in frame.dtypes)
    statement = sql.SQL("copy {} ({}) from stdin (format {})").format(
        sql.Identifier(*table),
        sql.SQL(", ").join(map(sql.Identifier, columns or frame.columns)),
        sql.SQL("binary" if binary else "csv"),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for part in _binary(frame) if binary else _csv(frame):
            copy.write(part)
    return frame.height


def _csv(frame: pl.DataFrame) -> Iterator[memoryview]:
    for part in frame.iter_slices(_SLICE):
        buffer = io.BytesIO()
        part.write_csv(buffer, include_header=False, quote_style="necessary", datetime_format="%Y-%m-%dT%H:%M:%S%.6f%z")
        yield buffer.getbuffer()


def _binary(frame: pl.DataFrame) -> Iterator[bytes]:
    from pgpq import ArrowToPostgresBinaryEncoder

    oldest = pl.CompatLevel.oldest()
    encoder = ArrowToPostgresBinaryEncoder(frame.clear().to_arrow(compat_level=oldest).schema)
    yield encoder.write_header()
    for part in frame.iter_slices(_SLICE):
        for batch in part.to_arrow(compat_level=oldest).to_batches():
            yield encoder.write_batch(batch)
    yield encoder.finish()


def without_nul(column: str) -> pl.Expr:
    """A text column as sent, with NUL, which no text column takes, shown as its symbol."""
    return pl.col(column).str.replace_all("\0", "␀", literal=True)


def as_json(frame: pl.DataFrame, name: str = "json") -> pl.Series:
    """Each row as a JSON object of its non-null cells, for a jsonb column. NUL, which jsonb refuses, is shown as its symbol."""
    if not frame.width or frame.is_empty():
        return pl.Series(name, ["{}"] * frame.height, dtype=pl.String)
    rows = [
        json.dumps({k: v.replace("\0", "␀") for k, v in row.items() if v is not None}, ensure_ascii=False)
        for row in frame.iter_rows(named=True)
    ]
    return pl.Series(name, rows, dtype=pl.String)
