"""Columns and contexts for the tests of semantic types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.contract import Column, EnumValue
from schemas.grid import Kind
from schemas.semantic import SEMANTIC_TYPES, Cleaned, Context, clean, polars_type

RECEIVED = date(2026, 7, 2)
VILLAGE_TYPES = (
    EnumValue("THON", "Thôn", ("Bản", "Buôn")),
    EnumValue("TDP", "Tổ dân phố", ("Khu phố", "Tổ")),
)

Row = tuple[Any, str | None, str | None]
"""value, issue, repair"""


def column(semantic_type: str, **options: Any) -> Column:
    """A column named 'x' of that type; ``required``, ``enum`` and ``unit`` are taken out of ``options``."""
    special = {name: options.pop(name) for name in ("required", "enum", "unit") if name in options}
    logical: Any = SEMANTIC_TYPES[semantic_type].logical_types[0]
    if semantic_type == "category":
        special.setdefault("enum", VILLAGE_TYPES)
    return Column("x", "Nhãn", logical, semantic_type, options=options, **special)


def context(
    height: int, resolve_unit: Callable[[pl.DataFrame], pl.DataFrame] | None = None, received: date = RECEIVED
) -> Context:
    """The same day and sender for each row."""
    return Context(
        as_of=pl.Series([date(2026, 6, 30)] * height, dtype=pl.Date),
        received_on=pl.Series([received] * height, dtype=pl.Date),
        sender=pl.Series(["22366"] * height, dtype=pl.String),
        resolve_unit=resolve_unit,
        today=date(2026, 11, 25),
    )


def cleaned(
    of: Column, texts: Sequence[str | None], kinds: Sequence[int] | int = Kind.TEXT, about: Context | None = None
) -> Cleaned:
    """Clean cells; one kind for all, or one each."""
    each = [kinds] * len(texts) if isinstance(kinds, int) else list(kinds)
    raw, kind = pl.Series(texts, dtype=pl.String), pl.Series(each, dtype=pl.UInt8)
    result = clean(of, raw, kind, about or context(len(texts)))
    assert result.value.dtype == polars_type(of)
    assert result.value.len() == result.issue.len() == result.repair.len() == len(texts)
    return result


def rows(of: Column, texts: Sequence[str | None], kinds: Sequence[int] | int = Kind.TEXT) -> list[Row]:
    """Cells cleaned, as (value, issue, repair)."""
    result = cleaned(of, texts, kinds)
    return list(zip(result.value.to_list(), result.issue.to_list(), result.repair.to_list(), strict=True))


def one(of: Column, text: str | None, kind: int = Kind.TEXT) -> Row:
    """One cell cleaned."""
    return rows(of, [text], kind)[0]
