"""Rows of a relation as Arrow tables, in bounded memory: COPY in blocks, each parsed by Arrow's reader of CSV in a second
thread and taken in a third.

Here: types of columns, the COPY statement, the blocks. Not here: what is done with the tables. Rows that a cursor fetches and
Python makes into columns take twice as long as this (docs/benchmarks.md); COPY's binary form has no reader among our libraries.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
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
_NO_PLACE = "a value does not fit the type of its column (a day without end, a number of more than 38 digits)"
_ESCAPED = {
    "\\\\": "\\", "\\b": "\b", "\\f": "\f", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\v": "\v",
}  # fmt: skip
"""What stands for what in COPY's text form."""
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
    """Give every row of a relation to ``take``, table by table in their order, from another thread; how many rows there were.

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
    lists = {f.name: f.sql_type[:-2] for f in fields if pa.types.is_list(schema.field(f.name).type)}
    # COPY's text form and days as numbers: less work for the server, and for who reads it
    query = f"copy (select {', '.join(map(_sent, fields))} from {relation}{order}) to stdout"
    # what the server has in UTF-8 it has checked
    convert = partial(_parsed, schema, lists, connection.info.parameter_status("server_encoding") != "UTF8")
    rows = 0

    waiting: list[Future[tuple[int, Future[None]]]] = []
    with (
        ThreadPoolExecutor(1, "export-write") as writer,
        ThreadPoolExecutor(1, "export-parse") as parser,
        closing(_blocks(connection, query)) as blocks,
    ):

        def work(block: bytearray) -> tuple[int, Future[None]]:
            table = convert(block)
            return int(table.num_rows), writer.submit(take, table)

        def settle() -> int:
            count, written = waiting.pop(0).result()
            written.result()
            return count

        try:
            for block in blocks:
                waiting.append(parser.submit(work, block))
                if len(waiting) > _AHEAD:
                    rows += settle()
        except psycopg.errors.DatetimeFieldOverflow:  # a day without end is no number
            raise ExportRefused(_NO_PLACE) from None
        while waiting:
            rows += settle()
    return rows


def _sent(field: Field) -> str:
    """A column in the form in which it is sent."""
    if field.sql_type.endswith("[]"):
        return f"array_to_json({quote(field.name)})"
    return f"{quote(field.name)} - date '1970-01-01'" if field.sql_type == "date" else quote(field.name)


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
            for size, row in map(take, repeat(1)):
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


def _parsed(schema: pa.Schema, lists: dict[str, str], check: bool, block: bytearray) -> pa.Table:
    """A block of COPY's text form: a tab between values, null as \\N, and what would be taken for either with a backslash."""
    read = pa.schema([pa.field(f.name, _read_as(f.type)) for f in schema])
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(block)),
            # one block: its last newline ends a row
            arrow_csv.ReadOptions(column_names=read.names, block_size=len(block) + 1, use_threads=False),
            arrow_csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=read, null_values=["\\N"], strings_can_be_null=True, true_values=["t"], false_values=["f"],
                check_utf8=check,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:  # its text holds the value
        raise ExportRefused(_NO_PLACE) from None
    if _escapes(block):
        for at, one in enumerate(read):
            if one.type == pa.string():
                plain = pl.Series(pl.from_arrow(table.column(at))).str.replace_many(
                    list(_ESCAPED), list(_ESCAPED.values())
                )
                table = table.set_column(at, one, plain.to_arrow().cast(pa.string()))
    for at, one in enumerate(schema):
        if one.name in lists:
            element = _ELEMENTS.get(lists[one.name], (None, pl.String))[1]
            decoded = pl.Series(pl.from_arrow(table.column(at))).str.json_decode(pl.List(element))
            table = table.set_column(at, one, decoded.to_arrow().cast(one.type))
    return table.cast(schema)


def _escapes(block: bytearray) -> bool:
    """Whether a backslash stands for anything else than a null."""
    found = np.frombuffer(block, np.uint8)
    return bool((found[np.flatnonzero(found == ord("\\")) + 1] != ord("N")).any())


def _read_as(kind: pa.DataType) -> pa.DataType:
    """How a column comes: days as numbers of days, lists as JSON."""
    return pa.int32() if kind == pa.date32() else pa.string() if pa.types.is_list(kind) else kind
