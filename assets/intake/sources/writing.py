"""Rows -> a file: Parquet for what comes typed, JSON lines for what comes as JSON. Batch by batch, never the whole in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from .base import PullFailed, Rows, Taking

_DIGITS = 38


def write_parquet(path: Path, batches: Iterable[Rows], kinds: Mapping[str, str], taking: Taking) -> int:
    """Write rows with the columns and kinds (``integer``, ``decimal:2`` (digits behind the comma), ``float``, ``boolean``,
    ``date``, ``moment``, ``text``) to a
    Parquet file; how many. What no kind has is text as Python writes it. Raises :class:`PullFailed`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "integer": pa.int64(), "float": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "moment": pa.timestamp("us"),
        "moment_tz": pa.timestamp("us", "UTC"), "text": pa.string(),
    }  # fmt: skip
    schema = pa.schema(
        [(n, types[k] if k in types else pa.decimal128(_DIGITS, int(k.partition(":")[2]))) for n, k in kinds.items()]
    )
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            taking.count(len(batch))
            columns = []
            for field, kind in zip(schema, kinds.values(), strict=True):
                values = [row.get(field.name) for row in batch]
                if kind == "text":
                    values = [None if v is None else _text(v) for v in values]
                try:
                    columns.append(pa.array(values, field.type))
                except (pa.ArrowException, OverflowError, TypeError, ValueError):
                    raise PullFailed(
                        "STRANGE_VALUE", f"the column {field.name} holds a value that is no {kind}"
                    ) from None
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(batch)
            taking.bytes(path.stat().st_size)
    return count


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise PullFailed("BINARY", "a column holds binary data; leave it out of the view")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value.isoformat() if isinstance(value, (date, datetime, time)) else str(value)


def write_json_lines(path: Path, batches: Iterable[Rows], taking: Taking) -> int:
    """Write records as they came, one a line, numbers digit by digit; how many."""
    import simplejson

    count = 0
    with path.open("w", encoding="utf-8") as file:
        for batch in batches:
            taking.count(len(batch))
            try:
                file.writelines(simplejson.dumps(row, ensure_ascii=False, use_decimal=True) + "\n" for row in batch)
            except (UnicodeEncodeError, RecursionError):
                raise PullFailed(
                    "STRANGE_VALUE", "a record holds half a character, or is nested deeper than can be written"
                ) from None
            count += len(batch)
            taking.bytes(file.tell())
    return count
