"""The register of semantic types and the functions that the rest of the house calls.

Not here: how a type reads a cell (numbers, dates, texts, lists), how tiers work together (base).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

import polars as pl
from polars.exceptions import ComputeError

from schemas.contract import Column
from schemas.semantic import base, dates, identifiers, lists, numbers, persons, places, records, texts
from schemas.semantic.base import COMMON_OPTIONS, Cleaned, Context, SemanticType

__all__ = [
    "COMMON_OPTIONS",
    "SEMANTIC_TYPES",
    "clean",
    "cleaning_order",
    "key_form",
    "option_problems",
    "polars_type",
    "sql_type",
]

SEMANTIC_TYPES: Mapping[str, SemanticType] = MappingProxyType(
    {
        t.name: t
        for t in (
            texts.TEXT,
            texts.NAME,
            texts.NAMES,
            persons.PERSON_NAME,
            texts.CODE,
            texts.COMMUNE_CODE,
            texts.PROVINCE_CODE,
            identifiers.CITIZEN_ID,
            identifiers.ID_CARD,
            identifiers.ID_AS_SENT,
            identifiers.TAX_CODE,
            identifiers.PHONE,
            identifiers.AGENCY_ID,
            places.PLACE_PATH,
            places.LISTED_UNIT,
            records.RECORD_NUMBER,
            records.RECORD_PAIR,
            numbers.INTEGER,
            numbers.DECIMAL,
            numbers.MONEY,
            numbers.PERCENT,
            dates.DATE,
            dates.DATETIME,
            lists.BOOLEAN,
            lists.CATEGORY,
        )
    }
)
"""Every ``semanticType`` that a contract may name."""


NUMBERS = (numbers.INTEGER, numbers.DECIMAL, numbers.MONEY, numbers.PERCENT)
"""Types whose cells may stand in another unit, and in one of two styles."""


def clean(column: Column, raw: pl.Series, kind: pl.Series, context: Context) -> Cleaned:
    """Clean one column.

    ``raw``: String, the cells' texts; ``kind``: UInt8 (:class:`schemas.grid.Kind`); both and the series of ``context``
    of one height, which is that of the result. :class:`KeyError` for a semantic type that is not registered.
    """
    kind_of = SEMANTIC_TYPES[column.semantic_type]
    if kind_of not in NUMBERS:
        return base.run(kind_of, column, raw, kind, context)

    def run(of: Column, texts: pl.Series, kinds: pl.Series, about: Context) -> Cleaned:
        return numbers.settled(
            partial(base.run, kind_of), of, base.run(kind_of, of, texts, kinds, about), texts, kinds, about
        )

    if context.unit is None or context.unit.null_count() == raw.len():
        return run(column, raw, kind, context)
    return numbers.in_stated_unit(run, column, raw, kind, context)


def cleaning_order(columns: Sequence[Column]) -> list[Column]:
    """Every column after those whose typed values its type reads (which read none themselves), else as they stand."""

    def reads_others(column: Column) -> bool:
        return any(option in column.options for option in SEMANTIC_TYPES[column.semantic_type].siblings)

    return sorted(columns, key=reads_others)


def key_form(column: Column, value: pl.Series) -> pl.Series:
    """Cleaned values as the String that two spellings of one key share; null stays null."""
    return SEMANTIC_TYPES[column.semantic_type].key(value)


def polars_type(column: Column) -> pl.DataType:
    """The polars type of the cleaned column."""
    return SEMANTIC_TYPES[column.semantic_type].dtype(column)


def sql_type(column: Column) -> str:
    """The PostgreSQL type of the cleaned column."""
    return SEMANTIC_TYPES[column.semantic_type].sql(column)


def option_problems(column: Column) -> list[str]:
    """What is wrong with the options of a column, in plain words for the lint; empty if nothing is."""
    kind_of = SEMANTIC_TYPES[column.semantic_type]
    allowed = {*COMMON_OPTIONS, *kind_of.options}
    problems = [f"{name} is not an option of {kind_of.name}" for name in column.options if name not in allowed]
    for name, value in column.options.items():
        if name in allowed and (problem := _value_problem(kind_of.name, name, value)):
            problems.append(f"{name}: {problem}")
    return problems


_CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("date", "minPrecision"): ("day", "month", "year"),
        ("datetime", "minPrecision"): ("day", "minute"),
        **{(name, "decimalMark"): (".", ",") for name in ("integer", "money", "decimal", "percent")},
    }
)
_FLAGS = frozenset(
    ("abbreviations", "acting", "allowCitizenId", "allowNotApplicable", "allowPending", "allowUnknown", "ditto", "highest",
     "inclusiveEnd", "keywords", "notFuture", "partial", "upper")
)  # fmt: skip
_SIZES = {"maxLength": (1, 1_000_000), "width": (1, 50), "scale": (0, numbers.PRECISION - 1)}
_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def _value_problem(type_name: str, name: str, value: Any) -> str | None:
    if name in _FLAGS:
        return None if isinstance(value, bool) else "must be true or false"
    if name == "blank":
        wanted = {"boolean": False, "code": ""}.get(type_name, 0)
        return None if type(value) is type(wanted) and value == wanted else f"must be {json.dumps(wanted)}"
    if name in _SIZES:
        low, high = _SIZES[name]
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and low <= value <= high else f"must be a whole number from {low} to {high}"
    if choices := _CHOICES.get((type_name, name)):
        return None if value in choices else f"must be one of {' '.join(choices)}"
    if name == "followedBy":
        texts = isinstance(value, list) and bool(value) and all(isinstance(v, str) and v.strip() for v in value)
        return None if texts else "must be a list of words"
    if name == "otherwise":
        return None if isinstance(value, str) and value else "must be a value of the enum"
    if name in ("pattern", "extract"):
        return _pattern_problem(name, str(value))
    if name in _LIMITS and type_name in ("date", "datetime"):
        return None if _is_day(value) else "must be a day such as 1900-01-01"
    if name in SEMANTIC_TYPES[type_name].siblings:
        return None if isinstance(value, str) and value else "must be the name of a column"
    if name in _LIMITS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if number else "must be a number"
    return None


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, date) or bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def _pattern_problem(name: str, pattern: str) -> str | None:
    try:
        groups = re.compile(pattern).groups
        pl.Series([""]).str.contains(pattern)
    except (re.error, ComputeError):
        return "must be a regular expression without look-around and back-references"
    return "must have exactly one group in brackets" if name == "extract" and groups != 1 else None
