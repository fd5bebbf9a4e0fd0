"""Numbers as Vietnamese offices write them: counts, decimals, percentages, amounts of money.

Rules N18, N20 and N21 of the domain brief: '.' groups thousands, ',' marks decimals; a text that reads two ways gets an
issue. A number *cell* has no such doubt: its text always has a decimal point. Exact decimals throughout, never a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, NamedTuple

import polars as pl

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic.base import (
    COMMON_OPTIONS,
    Cell,
    Checks,
    ReadCell,
    SemanticType,
    is_pending,
    nulls,
    pending,
    without,
)
from schemas.semantic.base import Context as CleanContext
from schemas.text import fold_one

_LIMITS = {
    "minimum": "lowest value allowed",
    "maximum": "highest value allowed",
    "exclusiveMinimum": "values must be above it",
    "exclusiveMaximum": "values must be below it",
}
_MARK = {"decimalMark": "'.' or ',': settles '1.234' for a source that is known to write it one way"}
_SCALE = {"scale": "decimal places kept (default 2)"}
_PENDING = {"allowPending": "true: 'đang cập nhật' is a blank, not an issue"}

INTEGER_DEFAULTS = (0, 2_147_483_647)
MONEY_DEFAULTS = (0, 10**16)
PERCENT_DEFAULTS = (0, 100)
_BIGINT = 2**63
PRECISION = 18
"""Digits of a decimal in all."""

_NUMBER = re.compile(r"([-+\u2212]?)\s?([0-9][0-9., ]*[0-9]|[0-9])\s*(.*)", re.ASCII)
_SPACED = re.compile(r"[0-9]{1,3}( [0-9]{3})+([.,][0-9]+)?")
_FACTORS = {"nghin": 10**3, "ngan": 10**3, "trieu": 10**6, "tr": 10**6, "ty": 10**9, "ti": 10**9}
_CURRENCY = frozenset({"dong", "d", "vnd", "viet nam dong"})
_EXCEL_DIGITS = Context(prec=15)
"""Excel keeps 15 significant digits; what a double shows beyond them is noise (0.30000000000000004)."""


class Number(NamedTuple):
    """A number read from a text: its value or an issue, the repair, and the words behind it."""

    value: Decimal | None = None
    issue: str | None = None
    repair: str | None = None
    tail: str = ""


def read_number(text: str, kind: int, whole: bool, decimal_mark: str | None = None) -> Number:
    """Read a cleaned text as a number. ``whole``: '1.234' can only be thousands, and '1,234' is in doubt."""
    if kind == Kind.NUMBER:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return Number(issue="NOT_A_NUMBER")
        if not number.is_finite():
            return Number(issue="NOT_A_NUMBER")
        exact = _EXCEL_DIGITS.plus(number)
        if "." in text and exact != number:
            return Number(exact, repair="ROUNDED")
        return Number(number)
    found = _NUMBER.fullmatch(text)
    if kind != Kind.TEXT or not found:
        return Number(issue="NOT_A_NUMBER")
    sign, digits, tail = found.groups()
    issue, plain, repair = _plain(digits, whole, decimal_mark)
    if issue:
        return Number(issue=issue, tail=tail)
    return Number(Decimal(("-" if sign in "-\u2212" and sign else "") + plain), None, repair, tail)


def _plain(digits: str, whole: bool, decimal_mark: str | None) -> tuple[str | None, str, str | None]:
    """(issue, digits with at most a decimal point, repair)."""
    if " " in digits:
        if not _SPACED.fullmatch(digits):
            return "NOT_A_NUMBER", "", None
        head, _, fraction = digits.replace(" ", "").replace(",", ".").partition(".")
        return None, f"{head}.{fraction}" if fraction else head, "THOUSANDS"
    marks = [c for c in digits if c in ".,"]
    if not marks:
        return None, digits, None
    last = marks[-1]
    head, _, fraction = digits.rpartition(last)
    if len(marks) == 1:
        could_group = bool(re.fullmatch(r"[1-9][0-9]{0,2}", head)) and len(fraction) == 3
        if decimal_mark or not could_group:
            groups = could_group and last != decimal_mark
        elif whole and last == ".":
            groups = True
        elif not whole and last == ",":
            groups = False
        else:
            return "AMBIGUOUS_NUMBER", "", None
        return None, head + fraction if groups else f"{head}.{fraction}", "THOUSANDS" if groups else None
    if len(set(marks)) == 1:
        if not re.fullmatch(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+", digits):
            return "NOT_A_NUMBER", "", None
        return None, digits.replace(last, ""), "THOUSANDS"
    group = marks[0]
    if last in head or not re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{re.escape(group)}[0-9]{{3}})+", head):
        return "NOT_A_NUMBER", "", None
    return None, f"{head.replace(group, '')}.{fraction}", "THOUSANDS"


def _unit_repair(column: Column, number: Number) -> str | None:
    """'UNIT_WORD' where the words behind the number are the column's own unit, else None."""
    unit = fold_one(column.unit or "")
    return "UNIT_WORD" if unit and fold_one(number.tail) == unit else None


def _whole(number: Decimal, repair: str | None) -> Cell:
    if number != number.to_integral_value():
        return Cell(issue="NOT_WHOLE")
    return Cell(int(number), None, repair) if abs(number) < _BIGINT else Cell(issue="OUT_OF_RANGE")


def _integer_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        if kind == Kind.TEXT and is_pending(text):
            return pending(column)
        number = read_number(text, kind, whole=True, decimal_mark=column.options.get("decimalMark"))
        words = _unit_repair(column, number) if number.tail else None
        if number.tail and not words:
            return Cell(issue="NOT_A_NUMBER")
        if number.value is None:
            return Cell(issue=number.issue)
        return _whole(number.value, words or number.repair)

    return read


def _money_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        if kind == Kind.TEXT and is_pending(text):
            return pending(column)
        text = text.replace("\u20ab", "đ")
        words = fold_one(read_number(text, kind, whole=False).tail).split()
        factor = _FACTORS.get(words[0], 0) if words else 0
        currency = " ".join(words[1:] if factor else words)
        if currency and currency not in _CURRENCY:
            return Cell(issue="NOT_A_NUMBER")
        number = read_number(text, kind, whole=not factor, decimal_mark=column.options.get("decimalMark"))
        if number.value is None:
            return Cell(issue=number.issue)
        repair = "MULTIPLIER" if factor else "UNIT_WORD" if currency else number.repair
        return _whole(number.value * (factor or 1), repair)

    return read


def _decimal_cell(column: Column) -> ReadCell:
    percent = column.semantic_type == "percent"
    scale = _scale(column)
    step, limit = Decimal(1).scaleb(-scale), Decimal(10) ** (PRECISION - scale)

    def read(text: str, kind: int, received: date) -> Cell:
        if kind == Kind.TEXT and is_pending(text):
            return pending(column)
        number = read_number(text, kind, whole=False, decimal_mark=column.options.get("decimalMark"))
        sign = percent and number.tail == "%"
        words = _unit_repair(column, number) if number.tail and not sign else None
        if number.tail and not sign and not words:
            return Cell(issue="NOT_A_NUMBER")
        if number.value is None:
            return Cell(issue=number.issue)
        exact = number.value
        if percent and kind == Kind.NUMBER and 0 < exact <= 1:
            return Cell(issue="AMBIGUOUS_PERCENT")  # a cell shown as 50% holds 0.5
        if abs(exact) >= limit:
            return Cell(issue="OUT_OF_RANGE")
        kept = exact.quantize(step, ROUND_HALF_UP)
        if abs(kept) >= limit:
            return Cell(issue="OUT_OF_RANGE")
        repair = words or number.repair
        return Cell(kept, None, "ROUNDED" if kept != exact else None if number.repair == "ROUNDED" else repair)

    return read


def _quick_integer(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    return raw.cast(pl.Int64, strict=False)


def _bulk_integer(column: Column, text: pl.Series, kind: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """'1.234.567' in a text cell."""
    grouped = text.str.contains(r"^[1-9][0-9]{0,2}(\.[0-9]{3})+$") & (kind == Kind.TEXT)
    if column.options.get("decimalMark") == ".":
        grouped &= text.str.count_matches(".", literal=True) > 1
    value = text.str.replace_all(".", "", literal=True).cast(pl.Int64, strict=False)
    return without(value, ~grouped.fill_null(False)), pl.Series(["THOUSANDS"]).new_from_index(0, text.len())


def _quick_decimal(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    """Whole numbers, and decimals whose mark cannot group thousands: '12,5', '12.34', '1234,567'."""
    dtype, scale = _decimal_type(column), _scale(column)
    whole = raw.cast(pl.Int64, strict=False)
    if whole.null_count() == 0 or scale == 0 or column.options.get("decimalMark"):
        value = whole.cast(dtype, strict=False)
    else:
        fraction = rf"(?:\.[0-9]{{1,{min(scale, 2)}}}|,[0-9]{{1,{scale}}})"
        fits = raw.str.contains(rf"^-?[0-9]{{1,15}}{fraction}?$").fill_null(False)
        value = raw.cast(dtype, strict=False)
        if (fits & value.is_null()).any():
            value = raw.str.replace(",", ".", literal=True).cast(dtype, strict=False)
        value = without(value, ~fits)
    if column.semantic_type == "percent":
        # a number cell that shows 50% holds 0.5: left to the rule of a cell
        share = (kind == Kind.NUMBER) & (value > Decimal(0)) & (value <= Decimal(1))
        if share.any():
            value = without(value, share.fill_null(False))
    return value


def _bulk_decimal(column: Column, text: pl.Series, kind: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """'1.234.567,89' in text cells, longer fractions in number cells (but percentages)."""
    scale = _scale(column)
    if scale == 0 or column.options.get("decimalMark"):
        return nulls(text.len(), _decimal_type(column)), None
    some, more = r"^-?[1-9][0-9]{0,2}", r"\.[0-9]{3}"
    grouped = text.str.contains(rf"{some}(?:{more}){{2,}}$") | text.str.contains(
        rf"{some}(?:{more})+,[0-9]{{1,{scale}}}$"
    )
    grouped = (grouped & (kind == Kind.TEXT)).fill_null(False)
    known = grouped
    if column.semantic_type != "percent":
        short = text.str.contains(rf"^-?[0-9]{{1,9}}\.[0-9]{{1,{min(scale, 6)}}}$")
        known = grouped | (short & (kind == Kind.NUMBER)).fill_null(False)
    plain = text.zip_with(~grouped, text.str.replace_many([".", ","], ["", "."]))
    value = without(plain.cast(_decimal_type(column), strict=False), ~known)
    return value, nulls(1, pl.String).new_from_index(0, text.len()).zip_with(~grouped, pl.Series(["THOUSANDS"]))


def _scale(column: Column) -> int:
    return int(column.options.get("scale", 2))


def _decimal_type(column: Column) -> pl.DataType:
    return pl.Decimal(PRECISION, _scale(column))


def _numeric_sql(column: Column) -> str:
    return f"numeric({PRECISION},{_scale(column)})"


def _limits(low: int | None, high: int | None) -> Callable[[Column, pl.Series, CleanContext], Checks]:
    """A ``check`` against the contract's limits, with the type's own where it gives none."""

    def check(column: Column, value: pl.Series, context: CleanContext) -> Checks:
        least: Any = value.min()
        most: Any = value.max()
        if least is None:
            return []
        given = column.options
        above, below = given.get("exclusiveMinimum"), given.get("exclusiveMaximum")
        lowest, highest = given.get("minimum", low), given.get("maximum", high)
        checks: Checks = []
        if lowest is not None and least < (bound := _bound(lowest, value)):
            checks.append((value < bound, "OUT_OF_RANGE"))
        if highest is not None and most > (bound := _bound(highest, value)):
            checks.append((value > bound, "OUT_OF_RANGE"))
        if above is not None and least <= (bound := _bound(above, value)):
            checks.append((value <= bound, "OUT_OF_RANGE"))
        if below is not None and most >= (bound := _bound(below, value)):
            checks.append((value >= bound, "OUT_OF_RANGE"))
        return checks

    return check


def _bound(limit: Any, value: pl.Series) -> Any:
    return Decimal(str(limit)) if isinstance(value.dtype, pl.Decimal) else limit


_BLANK = {"blank": "0: an empty cell means none, as in pivot exports"}

INTEGER = SemanticType(
    name="integer",
    doc="A count or other whole number; 0 to 2 147 483 647 unless the contract says otherwise.",
    logical_types=("integer",),
    options={**COMMON_OPTIONS, **_LIMITS, **_PENDING, **_MARK, **_BLANK},
    dtype=lambda column: pl.Int64(),
    sql=lambda column: "bigint",
    cell=_integer_cell,
    quick=_quick_integer,
    bulk=_bulk_integer,
    check=_limits(*INTEGER_DEFAULTS),
)
MONEY = SemanticType(
    name="money",
    doc="An amount in whole đồng; 'triệu', 'tỷ' are multiplied out.",
    logical_types=("integer",),
    options={**COMMON_OPTIONS, **_LIMITS, **_PENDING, **_MARK},
    dtype=lambda column: pl.Int64(),
    sql=lambda column: "bigint",
    cell=_money_cell,
    quick=_quick_integer,
    bulk=_bulk_integer,
    check=_limits(*MONEY_DEFAULTS),
)
DECIMAL = SemanticType(
    name="decimal",
    doc="An exact decimal number; digits beyond the scale are rounded half up, and noted.",
    logical_types=("number",),
    options={**COMMON_OPTIONS, **_LIMITS, **_PENDING, **_MARK, **_SCALE},
    dtype=_decimal_type,
    sql=_numeric_sql,
    cell=_decimal_cell,
    quick=_quick_decimal,
    bulk=_bulk_decimal,
    check=_limits(None, None),
)
PERCENT = SemanticType(
    name="percent",
    doc="A percentage stored as 0 to 100, with or without its sign.",
    logical_types=("number",),
    options={**COMMON_OPTIONS, **_LIMITS, **_PENDING, **_MARK, **_SCALE},
    dtype=_decimal_type,
    sql=_numeric_sql,
    cell=_decimal_cell,
    quick=_quick_decimal,
    bulk=_bulk_decimal,
    check=_limits(*PERCENT_DEFAULTS),
)
