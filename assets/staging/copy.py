"""COPY: the one border where frames become PostgreSQL rows. Nulls are NULL, text is text, whatever it holds."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import polars as pl
import psycopg
from psycopg import sql

_SLICE = 65_536


def copy_frame(
    connection: psycopg.Connection, table: Sequence[str], frame: pl.DataFrame, columns: Sequence[str] | None = None
) -> int:
    """COPY a frame into ``schema.table``; rows written. Column names are the frame's own unless given.

    Text cells must be free of NUL (the cleaners see to it); an empty string stays an empty string, null is NULL.
    """
    if frame.is_empty():
        return 0
    names = list(columns or frame.columns)
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, frame.height, _SLICE):
            buffer = io.BytesIO()
            frame.slice(start, _SLICE).write_csv(
                buffer, include_header=False, quote_style="necessary", datetime_format="%Y-%m-%dT%H:%M:%S%.6f%z"
            )
            copy.write(buffer.getbuffer())
    return frame.height


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
