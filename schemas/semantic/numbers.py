"""Numbers as Vietnamese offices write them: counts, decimals, percentages, amounts of money.

Rules N18, N20 and N21 of the domain brief: '.' groups thousands, ',' marks decimals; a text that reads two ways gets an
issue, unless all other cells of the submission write numbers in one way (:func:`settled`). A number *cell* has no such
doubt: its text always has a decimal point. Units: 'nghìn', 'triệu', 'tỷ' before the column's own unit multiply, in the cell
or in its header; any other unit is an issue. Exact decimals throughout, never a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
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
    Cleaned,
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
_PENDING = {
    "allowPending": "true: 'đang cập nhật' is a blank, not an issue",
    "allowNotApplicable": "true: 'không phát sinh' is a blank, not an issue",
}
_STATED = "statedFactor"
"""Not an option of a contract: set on a column by :func:`in_stated_unit`."""

INTEGER_DEFAULTS = (0, 2_147_483_647)
MONEY_DEFAULTS = (0, 10**16)
PERCENT_DEFAULTS = (0, 100)
_BIGINT = 2**63
PRECISION = 18
"""Digits of a decimal in all."""

_NUMBER = re.compile(r"([-+\u2212]?)\s?([0-9][0-9., ]*[0-9]|[0-9])\s*(.*)", re.ASCII)
_SPACED = re.compile(r"[0-9]{1,3}( [0-9]{3})+([.,][0-9]+)?")
_FACTORS = {"nghin": 10**3, "ngan": 10**3, "trieu": 10**6, "tr": 10**6, "ty": 10**9, "ti": 10**9}
_THOUSANDS = re.compile(r"1((?: ?000)+)(?= |$)")
"""'1.000 đồng' as the name of a unit, folded."""
_SAME_UNITS = {
    "dong": ("d", "vnd", "viet nam dong", "dong viet nam"),
    "nguoi": ("khau", "nhan khau"),
    "ho": ("ho gia dinh", "ho dan"),
    "phan tram": ("pt",),
}
_UNIT_NAMES = {other: unit for unit, others in _SAME_UNITS.items() for other in others}
_NOT_APPLICABLE = ("khong phat sinh", "khong ap dung", "khong co phat sinh")
_NOTED = re.compile(
    r"(?:(?:[≈~]|khoảng|gần|hơn|trên|dưới|ước) ?(?P<about>[0-9][0-9.,]*)|(?P<noted>[0-9][0-9.,]*) ?\(.*\))",
    re.IGNORECASE,
)
"""'≈120', '15 (2 nữ)': a number with a note, which is proposed and never taken (N21)."""
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


def unit_of(text: str) -> tuple[int, str]:
    """A unit as (factor, name): 'triệu đồng', '1.000.000 VNĐ' -> (1 000 000, 'dong'); 'km²' -> (1, 'km2')."""
    words = fold_one(text.replace("²", "2").replace("%", " phần trăm ").replace("₫", " đồng "))
    factor = 1
    if grouped := _THOUSANDS.match(words):
        factor, words = 10 ** grouped[1].count("0"), words[grouped.end() :].strip()
    while (first := words.partition(" "))[0] in _FACTORS:
        factor, words = factor * _FACTORS[first[0]], first[2]
    return factor, _UNIT_NAMES.get(words, words)


def scale_of(column: Column, text: str) -> Decimal | None:
    """By what a number in the unit ``text`` is multiplied to be in that of the column; None for a unit that is another."""
    factor, name = unit_of(text)
    mine, own = unit_of(column.unit or {"money": "đồng", "percent": "%"}.get(column.semantic_type, ""))
    fits = name == own or (not name and factor > 1) or not own
    return Decimal(factor) / mine if fits else None


def _units(column: Column, number: Number, decided: Decimal | None) -> tuple[Decimal, str | None] | None:
    """(factor, repair) for the words behind a number under the factor that its header states; None where they differ."""
    if not number.tail:
        return (decided, "UNIT_SCALED") if decided is not None else (Decimal(1), None)
    told = scale_of(column, number.tail)
    if column.unit is None and column.semantic_type not in ("money", "percent") and unit_of(number.tail)[1]:
        told = None  # words behind a number of which no unit is known
    if told is None or (decided is not None and told != decided):
        return None
    return told, "MULTIPLIER" if told != 1 else "UNIT_WORD"


def _words(column: Column, text: str) -> Cell | None:
    """The answer to words that stand for a value (N20)."""
    if is_pending(text):
        return pending(column)
    if column.options.get("allowNotApplicable") and fold_one(text) in _NOT_APPLICABLE:
        return Cell(repair="NOT_APPLICABLE")
    return None


def _in_units(column: Column) -> Callable[[str, int], Cell]:
    """What all types share: a number with its unit as an exact decimal in the column's own, or the answer for words."""
    mark, decided = column.options.get("decimalMark"), column.options.get(_STATED)
    whole = column.logical_type == "integer" and decided is None

    def read(text: str, kind: int) -> Cell:
        if kind == Kind.TEXT and (said := _words(column, text)):
            return said
        text = text.replace("\u20ab", "đ")
        number = read_number(text, kind, whole, mark)
        if number.tail and whole and unit_of(number.tail)[0] > 1:
            number = read_number(text, kind, False, mark)  # '1.234 triệu' is in doubt, '1,5 triệu' is not
        if number.value is None and not number.tail:
            noted = _NOTED.fullmatch(text) if number.issue == "NOT_A_NUMBER" else None
            return Cell(issue="NOTED_NUMBER", detail=noted["about"]) if noted else Cell(issue=number.issue)
        units = _units(column, number, decided)
        if units is None:
            if noted := _NOTED.fullmatch(text):
                return Cell(issue="NOTED_NUMBER", detail=noted["noted"])
            known = decided is not None and (scale_of(column, number.tail) or unit_of(number.tail)[0] > 1)
            return Cell(issue="UNIT_DIFFERS" if known else "NOT_A_NUMBER")
        if number.value is None:
            return Cell(issue=number.issue)
        factor, repair = units
        return Cell(number.value * factor, None, repair or number.repair)

    return read


def _integer_cell(column: Column) -> ReadCell:
    in_units = _in_units(column)

    def read(text: str, kind: int, received: date) -> Cell:
        got = in_units(text, kind)
        if got.value is None:
            return got
        if got.value != got.value.to_integral_value():
            return Cell(issue="NOT_WHOLE")
        return got._replace(value=int(got.value)) if abs(got.value) < _BIGINT else Cell(issue="OUT_OF_RANGE")

    return read


def _decimal_cell(column: Column) -> ReadCell:
    percent = column.semantic_type == "percent"
    in_units, scale = _in_units(column), _scale(column)
    step, limit = Decimal(1).scaleb(-scale), Decimal(10) ** (PRECISION - scale)

    def read(text: str, kind: int, received: date) -> Cell:
        got = in_units(text, kind)
        exact = got.value
        if exact is None:
            return got
        if percent and kind == Kind.NUMBER and 0 < exact <= 1:
            return Cell(issue="AMBIGUOUS_PERCENT")  # a cell shown as 50% holds 0.5
        if abs(exact) >= limit:
            return Cell(issue="OUT_OF_RANGE")
        kept = exact.quantize(step, ROUND_HALF_UP)
        if abs(kept) >= limit:
            return Cell(issue="OUT_OF_RANGE")
        repair = None if got.repair == "ROUNDED" or (percent and text.endswith("%")) else got.repair
        return Cell(kept, None, "ROUNDED" if kept != exact else repair)

    return read


def _quick_integer(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    if _STATED in column.options:
        return nulls(raw.len(), pl.Int64)
    return raw.cast(pl.Int64, strict=False)


def _bulk_integer(column: Column, text: pl.Series, kind: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """'1.234.567' in a text cell."""
    if _STATED in column.options:
        return nulls(text.len(), pl.Int64), None
    grouped = text.str.contains(r"^[1-9][0-9]{0,2}(\.[0-9]{3})+$") & (kind == Kind.TEXT)
    if column.options.get("decimalMark") == ".":
        grouped &= text.str.count_matches(".", literal=True) > 1
    value = text.str.replace_all(".", "", literal=True).cast(pl.Int64, strict=False)
    return without(value, ~grouped.fill_null(False)), pl.Series(["THOUSANDS"]).new_from_index(0, text.len())


def _quick_decimal(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    """Whole numbers, and decimals whose mark cannot group thousands: '12,5', '12.34', '1234,567'."""
    dtype, scale = _decimal_type(column), _scale(column)
    if _STATED in column.options:
        return nulls(raw.len(), dtype)
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
    if scale == 0 or column.options.get("decimalMark") or _STATED in column.options:
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


Run = Callable[[Column, pl.Series, pl.Series, CleanContext], Cleaned]
"""Cleaning of a column: :func:`schemas.semantic.base.run` for a type."""
_STYLES = {
    ",": r"^\s*[-+−]?(?:\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}|\d+,\d{4,}|(?:0|\d{4,}),\d+)\s*[^\d.,]*$",
    ".": r"^\s*[-+−]?(?:\d{1,3}(?:,\d{3}){2,}|\d{1,3}(?:,\d{3})+\.\d+|\d+\.\d{1,2}|\d+\.\d{4,}|(?:0|\d{4,})\.\d+)\s*[^\d.,]*$",
}
"""Texts that can only be read with this decimal mark."""


def settled(
    run: Run, column: Column, cleaned: Cleaned, raw: pl.Series, kind: pl.Series, context: CleanContext
) -> Cleaned:
    """Read what is in doubt as the rest of its submission's column is written, if that is all of one style (N18)."""
    doubtful = (cleaned.issue == "AMBIGUOUS_NUMBER").fill_null(False)
    if context.submission is None or not doubtful.any():
        return cleaned
    votes = pl.DataFrame({"sub": context.submission, "text": raw}).filter((kind == Kind.TEXT).fill_null(False))
    styles = votes.group_by("sub").agg(**{mark: pl.col("text").str.contains(p).any() for mark, p in _STYLES.items()})
    for mark, other in ((",", "."), (".", ",")):
        voters = styles.filter(pl.col(mark) & ~pl.col(other))["sub"]
        rows = (doubtful & context.submission.is_in(voters.implode())).arg_true()
        if not rows.len():
            continue
        as_others = replace(column, options={**column.options, "decimalMark": mark})
        again = run(as_others, raw[rows], kind[rows], context.rows(rows))
        read = again.value.is_not_null()
        at = rows.filter(read)
        cleaned = Cleaned(
            cleaned.value.clone().scatter(at, again.value.filter(read)),
            cleaned.issue.clone().scatter(at, None),
            cleaned.repair.clone().scatter(at, "NUMBER_STYLE"),
            cleaned.detail,
        )
    return cleaned


def in_stated_unit(run: Run, column: Column, raw: pl.Series, kind: pl.Series, context: CleanContext) -> Cleaned:
    """Clean a column whose headers or titles state units: scaled to the column's own, or all an issue where it is another."""
    assert context.unit is not None
    parts: list[tuple[pl.Series, Cleaned]] = []
    for stated in context.unit.unique():
        rows = _where(context.unit, stated)
        factor = Decimal(1) if stated is None else scale_of(column, stated)
        told = column if factor in (1, None) else replace(column, options={**column.options, _STATED: factor})
        cleaned = run(told, raw[rows], kind[rows], context.rows(rows))
        if factor is None:
            filled = cleaned.value.is_not_null()
            issue = cleaned.issue.zip_with(~filled, pl.Series(["UNIT_DIFFERS"]))
            cleaned = Cleaned(without(cleaned.value, filled), issue, nulls(rows.len(), pl.String), cleaned.detail)
        parts.append((rows, cleaned))
    order = pl.concat([rows for rows, _ in parts]).arg_sort()
    value, issue, repair = (pl.concat([getattr(c, n) for _, c in parts])[order] for n in ("value", "issue", "repair"))
    details = [c.detail if c.detail is not None else nulls(c.value.len(), pl.String) for _, c in parts]
    return Cleaned(value, issue, repair, pl.concat(details)[order])


def _where(values: pl.Series, value: str | None) -> pl.Series:
    return (values.is_null() if value is None else (values == value).fill_null(False)).arg_true()


_BLANK = {"blank": "0: an empty cell means none, as in pivot exports"}


def _whole(column: Column, value: pl.Series, context: CleanContext) -> Checks:
    """Its limits; and a year that the delivery's period gives is no other year where a cell says one."""
    found = _limits(*INTEGER_DEFAULTS)(column, value, context)
    if column.default_from == "asOf":
        found = [*found, (value != context.as_of.dt.year(), "OTHER_YEAR")]
    return found


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
    check=_whole,
)
MONEY = SemanticType(
    name="money",
    doc="An amount in whole đồng; 'triệu', 'tỷ' are multiplied out.",
    logical_types=("integer",),
    options={**COMMON_OPTIONS, **_LIMITS, **_PENDING, **_MARK},
    dtype=lambda column: pl.Int64(),
    sql=lambda column: "bigint",
    cell=_integer_cell,
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
