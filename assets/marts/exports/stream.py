"""Rows of a relation as Arrow tables, in bounded memory: COPY in blocks, each parsed by Arrow's CSV reader in a second thread.

Here: types of columns, the COPY statement, the blocks. Not here: what is done with the tables. Measured on 2,000,000 rows of 12
columns beside a bare COPY: this 1.2 to 1.7 times its time, rows fetched by a cursor and made into columns 4.6 times
(docs/benchmarks.md). COPY's binary form has no reader among our libraries.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
from psycopg import pq

from schemas.migrate import quote

from .views import ExportRefused, Field

_BLOCK = 4 << 20
"""Bytes of COPY that are parsed at once: some 30,000 rows of a wide view."""
_AHEAD = 6
"""Blocks that may wait for the parser: what is held is bounded by them."""
_SCALE = 38
"""Digits of a decimal."""

_TYPES: dict[str, pa.DataType] = {
    "bool": pa.bool_(), "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "float4": pa.float32(),
    "float8": pa.float64(), "date": pa.date32(), "timestamptz": pa.timestamp("us", "UTC"), "timestamp": pa.timestamp("us"),
    "text": pa.string(), "varchar": pa.string(), "bpchar": pa.string(),
}  # fmt: skip
_ELEMENTS: dict[str, tuple[pa.DataType, Any]] = {
    "int2": (pa.int64(), pl.Int64), "int4": (pa.int64(), pl.Int64), "int8": (pa.int64(), pl.Int64),
}  # fmt: skip


def arrow_schema(
    connection: psycopg.Connection, relation: str, fields: Sequence[Field], *, lists: bool = True
) -> pa.Schema:
    """The types of a relation's columns; without ``lists`` an array is a text, as JSON has it.

    A decimal has the scale that its contract says, else that of the finest value there is; anything without a type of its own here
    is a text, JSON included."""
    unsaid = [f for f in fields if f.sql_type == "numeric" and _declared(f) is None]
    scales: dict[str, int] = {}
    if unsaid:
        asked = ", ".join(f"coalesce(max(scale({quote(f.name)})), 0)" for f in unsaid)
        row = connection.execute(f"select {asked} from {relation}").fetchone()
        scales = dict(zip((f.name for f in unsaid), row or (), strict=True))
    return pa.schema([pa.field(f.name, _type(f, scales, lists)) for f in fields])


def _declared(field: Field) -> int | None:
    scale = None if field.column is None else field.column.options.get("scale")
    return None if scale is None else int(scale)


def _type(field: Field, scales: dict[str, int], lists: bool) -> pa.DataType:
    if field.sql_type == "numeric":
        scale = _declared(field)
        return pa.decimal128(_SCALE, min(scales[field.name] if scale is None else scale, _SCALE))
    if lists and field.sql_type.endswith("[]"):
        return pa.list_(_ELEMENTS.get(field.sql_type[:-2], (pa.string(), None))[0])
    return _TYPES.get(field.sql_type, pa.string())


def stream(
    connection: psycopg.Connection,
    relation: str,
    fields: Sequence[Field],
    schema: pa.Schema,
    take: Callable[[pa.Table], None],
    order: str = "",
) -> int:
    """Give every row of a relation to ``take``, table by table, from a second thread; how many rows there were.

    In the caller's transaction, whose settings for texts it changes. ``take`` may raise: the COPY is then broken off.
    Raises :class:`ExportRefused` where a value has no place in its column's type."""
    for setting in (
        "client_encoding = 'UTF8'",
        "timezone = 'UTC'",
        "datestyle = 'ISO, YMD'",
        "extra_float_digits = 1",
        "bytea_output = 'hex'",
    ):
        connection.execute(f"set local {setting}")
    arrays = {f.name: f.sql_type[:-2] for f in fields if f.sql_type.endswith("[]")}
    columns = ", ".join(f"array_to_json({quote(f.name)})" if f.name in arrays else quote(f.name) for f in fields)
    lists = {n: element for n, element in arrays.items() if pa.types.is_list(schema.field(n).type)}
    query = f"copy (select {columns} from {relation}{order}) to stdout (format csv)"
    convert = partial(_parsed, schema, lists)
    rows = 0

    def work(block: bytearray) -> int:
        table = convert(block)
        take(table)
        return int(table.num_rows)

    waiting: list[Future[int]] = []
    with ThreadPoolExecutor(1, "export") as parser, closing(_blocks(connection, query)) as blocks:
        for block in blocks:
            waiting.append(parser.submit(work, block))
            if len(waiting) > _AHEAD:
                rows += waiting.pop(0).result()
        rows += sum(one.result() for one in waiting)
    return rows


def _blocks(connection: psycopg.Connection, query: str) -> Generator[bytearray, None, None]:
    """What a COPY gives, in blocks of whole rows; closed before its end, the COPY is cancelled.

    Rows are taken from libpq itself: :meth:`psycopg.Cursor.copy` takes them the same way, at twice the cost for each."""
    server = connection.pgconn
    begun = server.exec_(query.encode())
    if begun.status != pq.ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(begun, encoding="utf-8")
    ended = False
    try:
        block, take = bytearray(), server.get_copy_data
        with selectors.DefaultSelector() as wire:
            wire.register(server.socket, selectors.EVENT_READ)
            while True:
                size, row = take(1)
                if size > 0:
                    block += row  # kept as they come they would be objects for the garbage collector, at three times the cost
                    if len(block) >= _BLOCK:
                        yield block
                        block = bytearray()
                elif size == 0:
                    wire.select()
                    server.consume_input()
                else:
                    break
        ended = True
        _settled(server)
        if block:
            yield block
    finally:
        if not ended and connection.pgconn.status == pq.ConnStatus.OK:
            connection.cancel_safe()
            with suppress(psycopg.Error):
                while server.get_copy_data(0)[0] > 0:
                    pass
            with suppress(psycopg.Error):
                _settled(server)


def _settled(server: pq.abc.PGconn) -> None:
    """Take the results that end a COPY; raises the error that it ended with."""
    failed = None
    while (result := server.get_result()) is not None:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            failed = psycopg.errors.error_from_result(result, encoding="utf-8")
    if failed is not None:
        raise failed


def _parsed(schema: pa.Schema, lists: dict[str, str], block: bytearray) -> pa.Table:
    """A block of CSV as PostgreSQL writes it: what is not quoted and empty is null, what is quoted and empty is a text."""
    read = pa.schema([pa.field(f.name, pa.string()) if f.name in lists else f for f in schema])
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(block)),
            # one block: its last newline ends a row, so that newlines within values divide nothing
            arrow_csv.ReadOptions(column_names=read.names, block_size=len(block) + 1, use_threads=False),
            arrow_csv.ParseOptions(newlines_in_values=False),
            arrow_csv.ConvertOptions(
                column_types=read, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
                true_values=["t"], false_values=["f"],
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:  # its text holds the value
        raise ExportRefused(
            "a value does not fit the type of its column (a day before year 1 or without end, a number of more than 38 digits)"
        ) from None
    for name, element in lists.items():
        at = table.schema.get_field_index(name)
        decoded = pl.Series(pl.from_arrow(table.column(at))).str.json_decode(
            pl.List(_ELEMENTS.get(element, (None, pl.String))[1])
        )
        table = table.set_column(at, schema.field(name), decoded.to_arrow().cast(schema.field(name).type))
    return table
