"""Arrow tables into files: Parquet, and CSV that no spreadsheet runs.

Here: the bytes of a file, table by table. Not here: where the tables come from, names and places of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as parquet

from schemas.text import inert_expr
from schemas.vietnam import VIETNAM

from .folder import Sink


class Writer(Protocol):
    """Writes one file; a context that ends it."""

    def __enter__(self) -> Writer: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...
    def write(self, table: pa.Table) -> None:
        """Add rows."""


class ParquetFile:
    """Parquet: types as they are, a row group for each table; ``said`` stands in its metadata."""

    def __init__(self, sink: Sink, schema: pa.Schema, said: dict[str, str]) -> None:
        named = schema.with_metadata({f"lienthong.{k}": v for k, v in said.items()})
        # without dictionaries: over row groups of this size they cost a third of the writing, and zstd makes as small a file
        self._writer = parquet.ParquetWriter(sink, named, compression="zstd", compression_level=1, use_dictionary=False)

    def __enter__(self) -> ParquetFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self._writer.close()
        else:
            # a file that is broken off has no footer: it cannot be taken for a whole one
            self._writer.is_open = False

    def write(self, table: pa.Table) -> None:
        """Add rows as a row group."""
        self._writer.write_table(table)


class CsvFile:
    """CSV in UTF-8 with lines that end in CR LF: texts inert (:func:`schemas.text.inert_one`), numbers plain, days and times as ISO
    8601 has them, times as clocks in Vietnam show them; nothing for null, ``""`` for an empty text. ``mark``: with a byte order
    mark, as spreadsheets want it."""

    def __init__(self, sink: Sink, schema: pa.Schema, *, mark: bool) -> None:
        self._sink = sink
        if mark:
            sink.write(b"\xef\xbb\xbf")
        empty: Any = pl.from_arrow(schema.empty_table())
        self._write(empty, header=True)

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        frame: Any = pl.from_arrow(table)
        self._write(frame, header=False)

    def _write(self, frame: pl.DataFrame, *, header: bool) -> None:
        plain = frame.with_columns(_plain(frame.schema))
        text = plain.write_csv(include_header=header, line_terminator="\r\n", quote_style="necessary")
        self._sink.write(text.encode())


def _plain(schema: pl.Schema) -> Sequence[pl.Expr]:
    found = []
    for name, kind in schema.items():
        if kind == pl.String:
            found.append(inert_expr(pl.col(name)))
        elif isinstance(kind, pl.Datetime) and kind.time_zone is not None:
            local = pl.col(name).dt.convert_time_zone(VIETNAM.key)
            found.append(local.dt.strftime("%Y-%m-%dT%H:%M:%S%.f%:z"))
    return found
