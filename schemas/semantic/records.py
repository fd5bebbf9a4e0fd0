"""Numbers of records, as people send them back from a work list: which source records a decision is about.

A number has up to 19 digits. A spreadsheet that takes it for a number keeps 15 of them and fills up with zeros, so a number
cell of more is refused: it would name another record. Not here: what is decided of two records (the contracts
``*_decisions``).
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic.base import COMMON_OPTIONS, Cell, Cleaned, Context, ReadCell, SemanticType, nulls, without

_LARGEST = 2**63 - 1
_EXACT = 15
"""Digits that a number cell keeps."""
_QUICK = "^[1-9][0-9]{0,17}$"
SEPARATOR = "/"
"""Between the two numbers of a pair."""


def _record_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        digits = text.removeprefix("'")
        known = kind == Kind.TEXT or (kind == Kind.NUMBER and len(digits) <= _EXACT)
        if not known or not re.fullmatch("[1-9][0-9]{0,18}", digits) or int(digits) > _LARGEST:
            return Cell(issue="BAD_CODE")
        return Cell(digits)

    return read


def _pair(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """Both numbers, the smaller first: who says that A is B says that B is A; a record and itself are no pair. What is wrong
    with the other cell is said by its own column."""
    height = raw.len()
    other = context.sibling(column, "other")
    pair = pl.DataFrame(
        {
            "one": cleaned.value.cast(pl.Int64),
            "other": (nulls(height, pl.String) if other is None else other).cast(pl.Int64),
        }
    )
    low, high = pl.min_horizontal("one", "other"), pl.max_horizontal("one", "other")
    both = pl.col("one").is_not_null() & pl.col("other").is_not_null()
    found = pair.select(
        value=pl.when(both & (pl.col("one") != pl.col("other"))).then(pl.concat_str(low, high, separator=SEPARATOR)),
        issue=pl.when(both & (pl.col("one") == pl.col("other"))).then(pl.lit("BAD_CODE")),
    )
    issue = found["issue"].zip_with(cleaned.issue.is_null(), cleaned.issue)
    return Cleaned(found["value"].rename(column.name), issue, nulls(height, pl.String))


RECORD_NUMBER = SemanticType(
    name="record_number",
    doc="The number of a source record, up to 19 digits, as text; a number cell of more than 15 digits has lost some.",
    logical_types=("string",),
    options=COMMON_OPTIONS,
    cell=_record_cell,
    quick=lambda column, raw, kind: without(raw, ~raw.str.contains(_QUICK).fill_null(False)),
    quick_kinds=Kind.TEXT,
)
RECORD_PAIR = SemanticType(
    name="record_pair",
    doc="The numbers of two records as one key, the smaller first, whichever way round they are sent.",
    logical_types=("string",),
    options={**COMMON_OPTIONS, "other": "the column with the other number"},
    siblings={"other": ("record_number",)},
    cell=_record_cell,
    quick=RECORD_NUMBER.quick,
    quick_kinds=Kind.TEXT,
    finish=_pair,
)
