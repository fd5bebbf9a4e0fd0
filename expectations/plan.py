"""How each check is put to Great Expectations: the columns it reads, as numbers or text, and the engine's own type.

Belongs here: the encoding of typed columns for the pandas engine, the answer to "was this row evaluated at all", and
our own expectation types, which are a derived column under one of the engine's types (no subclass of its internals).
Does not belong here: running anything (:mod:`expectations.run`).

Why values are encoded (seen on 1.24): the engine turns limits into floats, takes a slow path per value for dates in any
unit but nanoseconds (which end in 2262), and hashes every text of a frame for a fingerprint. So days and times are
microseconds since 1970, flags are 0 and 1, and text is handed over only to rules that read it (a length is a number, a
presence is a flag). Whole numbers below 2**53 are compared exactly as floats; where a column holds greater ones, all of
it takes the slow, exact path. Decimals are compared as the nearest float64: exact up to 15 significant digits, and
beyond that two values count as equal where they differ by less than one part in 10**15.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl

from schemas.contract import LogicalType
from schemas.expectation_types import SUMS, problems_of

from .suite import Check

_LIMITS = ("min_value", "max_value")
_EPOCH = datetime(1970, 1, 1)
_DTYPES: Mapping[LogicalType, tuple[type[pl.DataType], ...]] = {
    "string": (pl.String, pl.Categorical, pl.Enum),
    "integer": (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32),
    "number": (pl.Decimal, pl.Float64, pl.Float32, pl.Int32, pl.Int64),
    "date": (pl.Date,),
    "timestamp": (pl.Datetime,),
    "boolean": (pl.Boolean,),
}


class CannotRun(Exception):
    """A check that cannot be put to the engine on this frame; the text names columns and types, never a value."""


@dataclass(frozen=True)
class Plan:
    """One check, ready to run. ``inputs``: column of the engine's frame -> expression over the typed frame.

    ``evaluated``: a Boolean expression, true for rows about which the check says something (nulls do not count, except
    for the rules about nulls). ``reads``: columns of the typed frame whose values decide.
    """

    check: Check
    kind: str
    kwargs: Mapping[str, Any]
    inputs: Mapping[str, pl.Expr]
    evaluated: pl.Expr
    reads: tuple[str, ...]


def _number(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as text or as a number that compares as its values do."""
    column = pl.col(name)
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Date):
        return column.cast(pl.Datetime("us")).to_physical()
    if isinstance(dtype, pl.Datetime):
        # wall-clock time of the column's own zone: limits in contracts are written without a zone
        return column.dt.replace_time_zone(None).cast(pl.Datetime("us")).to_physical()
    if isinstance(dtype, pl.Boolean):
        return column.cast(pl.Int8)
    return column.cast(pl.Float64).fill_nan(None) if dtype.is_float() else column


def _limit(value: Any, logical_type: LogicalType) -> Any:
    """A limit or a member of a set in the encoding of its column; :class:`CannotRun` where it does not fit it."""
    try:
        if logical_type in ("date", "timestamp"):
            if isinstance(value, str):
                value = datetime.fromisoformat(value)
            moment = value if isinstance(value, datetime) else datetime.combine(value, time())
            return (moment - _EPOCH) // timedelta(microseconds=1)
        if logical_type in ("integer", "number"):
            if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
                raise TypeError
            if isinstance(value, int) and float(value) != value:
                raise ValueError
            return float(value) if isinstance(value, Decimal) else value
        if logical_type == "boolean":
            return {False: 0, True: 1}[value]
        if not isinstance(value, str):
            raise TypeError
    except (TypeError, ValueError, KeyError, OverflowError):
        raise CannotRun(f"an argument does not fit type {logical_type}") from None
    return value


def _total(columns: Sequence[str], schema: pl.Schema, optional: Collection[str] = ()) -> pl.Expr:
    """The row's sum, null where any part is that may not be; whole numbers in 128 bits, because 64 would wrap around in
    silence."""
    floats = any(schema[name].is_float() for name in columns)

    def wide(name: str) -> pl.Expr:
        part = pl.col(name).cast(pl.Float64 if floats else pl.Int128 if schema[name].is_integer() else schema[name])
        return part.fill_null(0) if name in optional else part

    return reduce(operator.add, map(wide, columns))


def plan_of(check: Check, schema: pl.Schema, logical_types: Mapping[str, LogicalType]) -> Plan:
    """How to run a check on a frame of that schema; pure.

    Raises :class:`CannotRun` for a type or argument that is not allowed, a column that the frame lacks or holds in
    another type than the contract's.
    """
    if found := problems_of(check.as_rule(), logical_types):
        raise CannotRun("; ".join(found))
    when: Mapping[str, Any] = check.kwargs.get("when") or {}
    for name in (*check.columns, *when):
        if name not in schema:
            raise CannotRun(f"column {name} is missing from the frame")
        if not isinstance(schema[name], _DTYPES[logical_types[name]]):
            raise CannotRun(f"column {name} is {schema[name]} and should be {logical_types[name]}")

    arguments = {
        name: value for name, value in check.kwargs.items() if name not in ("when", "ignore_row_if", "optional")
    }
    kind, names = check.kind, check.columns
    of_type = logical_types[names[0]]
    values = [_number(name, schema[name]) for name in names]
    optional = check.kwargs.get("optional", ())
    nulls = [pl.col(name).is_null() for name in names if name not in optional]
    applies = pl.col("_id").is_not_null()
    for name, wanted in when.items():
        listed = wanted if isinstance(wanted, (list, tuple)) else [wanted]
        encoded = [_limit(value, logical_types[name]) for value in listed]
        applies &= _number(name, schema[name]).is_in(encoded).fill_null(False)
    about_nulls = kind in ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null")
    ignored = pl.lit(False) if about_nulls else _ignored(check.kwargs.get("ignore_row_if"), nulls)
    evaluated = applies & ~ignored
    own = f"{check.id}#" if when else ""  # under a condition the engine's columns are this check's own

    def derived(what: str, expression: pl.Expr) -> Plan:
        name = f"{own}{names[0]}#{what}"
        return Plan(check, kind, {**arguments, "column": name}, {name: expression}, evaluated, (*names, *when))

    if kind == "expect_column_values_to_not_be_null":
        return derived("present", pl.when(~nulls[0] | ~applies).then(pl.lit(1, pl.Int8)))
    if kind == "expect_column_values_to_be_null":
        return derived("absent", pl.when(~nulls[0] & applies).then(pl.lit(1, pl.Int8)))
    if kind in ("expect_column_value_lengths_to_be_between", "expect_column_value_lengths_to_equal"):
        if "value" in arguments:
            arguments = {"min_value": arguments["value"], "max_value": arguments["value"]}
        kind = "expect_column_values_to_be_between"
        arguments |= {key: _limit(arguments[key], "integer") for key in _LIMITS if arguments.get(key) is not None}
        return derived("length", pl.when(applies).then(values[0].str.len_chars().cast(pl.Int64)))
    if kind in (*SUMS, "expect_multicolumn_sum_to_equal"):
        if kind == "expect_multicolumn_sum_to_equal":
            tolerance, total = 0, _limit(arguments["sum_total"], "integer")
            difference = _total(names, schema) - pl.lit(total).cast(pl.Int128)
        else:
            tolerance, left = _limit(arguments.get("tolerance", 0), "number"), arguments.get("left", 1)
            difference = _total(names[:left], schema, optional) - _total(names[left:], schema, optional)
        arguments = {"max_value": tolerance} | (
            {} if kind == "expect_row_sum_to_be_at_most" else {"min_value": -tolerance}
        )
        kind = "expect_column_values_to_be_between"
        # a row that is not ignored and lacks a part has no sum, which is no equal sum
        own = f"{check.id}#"
        return derived("difference", pl.when(evaluated).then(difference.cast(pl.Float64).fill_null(float("inf"))))

    arguments |= {key: _limit(arguments[key], of_type) for key in _LIMITS if arguments.get(key) is not None}
    if "value_set" in arguments:
        arguments["value_set"] = [_limit(value, of_type) for value in arguments["value_set"]]
    if len(names) == 1:
        inputs = {f"{own}{names[0]}": pl.when(applies).then(values[0])}
        return Plan(check, kind, {**arguments, "column": f"{own}{names[0]}"}, inputs, evaluated, (*names, *when))
    if check.kwargs.get("ignore_row_if"):
        # where a blank on one side counts as bad, it becomes a pair that breaks the rule: the engine stumbles over
        # blanks in whole numbers
        own, broken = f"{check.id}#", evaluated & pl.any_horizontal(nulls)
        pair = [pl.lit(text if of_type == "string" else int(text)) for text in ("0", "1")]
        values = [pl.when(broken).then(one).otherwise(value) for one, value in zip(pair, values, strict=True)]
    inputs = {f"{own}{name}": pl.when(applies).then(value) for name, value in zip(names, values, strict=True)}
    # the engine's default counts a blank on one side as bad (case G15); ours is that it contradicts nothing
    domain = dict(zip(("column_A", "column_B"), inputs, strict=True)) | {"ignore_row_if": "either_value_is_missing"}
    return Plan(check, kind, arguments | domain, inputs, evaluated, (*names, *when))


def _ignored(ignore: str | None, nulls: Sequence[pl.Expr]) -> pl.Expr:
    """The rows about which a rule says nothing; where it does not say, those in which any of its columns is null."""
    if ignore in ("neither", "never"):
        return pl.lit(False)
    if ignore in ("both_values_are_missing", "all_values_are_missing"):
        return pl.all_horizontal(nulls)
    return pl.any_horizontal(nulls)
