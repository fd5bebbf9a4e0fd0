"""Texts, names and codes: what must stay text, however Excel has treated it.

Rules N2 (one Unicode form, plain spaces), N9 (codes that lost their zeros) and N24 (formulas) of the domain brief.
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic.base import (
    COMMON_OPTIONS,
    Cell,
    Checks,
    Cleaned,
    Context,
    ReadCell,
    SemanticType,
    is_mark,
    nulls,
    text_repairs,
    without,
)
from schemas.text import clean_text, fold_one, match_key

LETTERS = "\u00a1-\u00ac\u00ae-\u00cf\u00d1-\u00ef\u00f1-\u0188\u018a-\u0255\u0257-\u027f\u1e00-\u1eff"
_QUOTES = "\u2018-\u201f\u2022\u2030\u20ab"
_SIGNS = "\u2010-\u2015\u2026\u2264\u2265" + _QUOTES


_WORD = (
    "0-9A-Za-z\u00c0-\u00cf\u00d1-\u00d6\u00d8-\u00ef\u00f1-\u00f6\u00f8-\u0188\u018a-\u0255\u0257-\u027f\u1e00-\u1eff"
)
"""Letters and digits."""


def _canonical(first: str, others: str) -> str:
    others += LETTERS + _SIGNS
    return f"^[{first}][{others}]*(?: [{others}]+)*$"


CANONICAL = _canonical('!"$-*,/-<>?A-~' + LETTERS + _QUOTES, "!-~")
"""Text that cleaning leaves as it is: a positive list of characters in NFC, single spaces, a start (no '=', '+', '-',
'@', '#', '.') that raises no question."""
CANONICAL_CODE = _canonical(_WORD, "!-~")
"""The same, from a letter or digit on."""
CANONICAL_NAME = _canonical(_WORD, "!->@-~")
"""The same without '?', which in a name is a letter that some encoding has lost."""

FORMULA_SIGNS = ("=", "+", "-", "@")
_DEFAULT_LENGTH = {"text": 1000, "names": 1000, "name": 200, "person_name": 200, "code": 50}
LENGTH = {**COMMON_OPTIONS, "maxLength": "longest text allowed, in characters"}


def longest(column: Column) -> int:
    """How many characters a text of the column may have."""
    return int(column.options.get("maxLength", _DEFAULT_LENGTH.get(column.semantic_type, 50)))


def _too_long(column: Column, value: pl.Series, context: Context) -> Checks:
    limit = longest(column)
    if not (value.str.len_bytes() > limit).any():
        return []
    return [(value.str.len_chars() > limit, "TOO_LONG")]


_WHOLE_DATE = r"^(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4})(?:[ T][0-9:.]+)?$"


def no_name(column: Column, value: pl.Series, context: Context) -> Checks:
    """Too long, or a whole date, which is what Excel makes of 'Tổ 3/2', also where it was saved as CSV; '26/3' may be a name."""
    return [*_too_long(column, value, context), (value.str.contains(_WHOLE_DATE), "DATE_CELL")]


def _keep(raw: pl.Series, pattern: str) -> pl.Series:
    """``raw`` where it matches, else null."""
    fits = raw.str.contains(pattern)
    return raw if fits.all() and not raw.null_count() else without(raw, ~fits.fill_null(False))


def _bulk_text(column: Column, text: pl.Series, kind: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Text in NFD, with NBSP, double or zero-width spaces."""
    cleaned = clean_text(without(text, text.str.contains(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").fill_null(False)))
    value = _keep(cleaned, CANONICAL_NAME if column.semantic_type == "name" else CANONICAL)
    return value, text_repairs(text, cleaned)


def _text_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        return Cell(issue="MISSING") if is_mark(text) else Cell(text)

    return read


def _name_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        if kind == Kind.DATE:
            return Cell(issue="DATE_CELL")  # 'Tổ 3/2' that Excel has turned into a day
        if text.startswith(FORMULA_SIGNS):
            return Cell(issue="FORMULA_TEXT")
        if "?" in text or not fold_one(text):
            return Cell(issue="UNREADABLE_TEXT")
        return Cell(text)

    return read


def width_of(column: Column) -> int | None:
    """How many digits a code of the column has; None where it may have any number of characters."""
    fixed = {"commune_code": 5, "province_code": 2}.get(column.semantic_type)
    width = fixed or column.options.get("width")
    return int(width) if width else None


def _pattern(column: Column) -> str | None:
    """What a code must match as a whole; None where any text may be one."""
    width, pattern = width_of(column), column.options.get("pattern")
    if pattern:
        return f"^(?:{pattern})$"
    return f"^[0-9]{{{width}}}$" if width else None


def _quick_code(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    text = raw.str.to_uppercase() if column.options.get("upper") else raw
    pattern = _pattern(column)
    value = _keep(text, pattern) if pattern else text
    if not pattern or column.options.get("pattern"):  # a pattern of the contract may allow what no code may hold
        value = _keep(value, CANONICAL_CODE)
    numbers = kind == Kind.NUMBER
    if not pattern and numbers.any():
        value = without(value, numbers)
    return value


def _code_cell(column: Column) -> ReadCell:
    pattern, width, upper = _pattern(column), width_of(column), bool(column.options.get("upper"))
    shape = re.compile(pattern) if pattern else None

    def fits(text: str) -> bool:
        if shape:
            return bool(shape.fullmatch(text))
        return not text.startswith(FORMULA_SIGNS) and bool(fold_one(text))

    def read(text: str, kind: int, received: date) -> Cell:
        if kind == Kind.DATE:
            return Cell(issue="DATE_CELL")
        if upper:
            text = text.upper()
        whole = re.fullmatch(r"([0-9]+)[.,]0+", text)
        if shape is None and kind in (Kind.NUMBER, Kind.BOOLEAN):
            text = whole[1] if whole else text
            return Cell(text) if text.isascii() and text.isdigit() else Cell(issue="BAD_CODE")
        if fits(text):
            return Cell(text)
        repair = None
        if whole:
            text, repair = whole[1], "DECIMAL_ZERO"
        if width and text.isascii() and text.isdigit() and len(text) < width:
            text, repair = text.zfill(width), "LEADING_ZERO"
        return Cell(text, None, repair) if repair and fits(text) else Cell(issue="BAD_CODE")

    return read


def _within(column: Column, name: pl.Series, context: Context) -> pl.Series:
    """Names with the areas that other columns state: 'Xã Vĩnh Hải, Thành phố Nha Trang, Tỉnh Khánh Hòa'."""
    areas = [context.sibling(column, option) for option in ("district", "province")]
    texts = [name, *(a for a in areas if a is not None)]
    return pl.select(pl.concat_str(texts, separator=", ", ignore_nulls=True)).to_series()


def _resolve_units(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """Codes must be those of a unit on the row's day, names are looked up: the reference knows, not this module."""
    if context.resolve_unit is None:
        return cleaned
    refused = (cleaned.issue == "BAD_CODE").fill_null(False)
    names = refused & raw.str.contains(r"\p{L}").fill_null(False)
    known = cleaned.value.is_not_null()
    asked = names | known
    if not asked.any():
        return cleaned
    text = (
        cleaned.value if not names.any() else cleaned.value.zip_with(~names, _within(column, clean_text(raw), context))
    )
    rows = pl.DataFrame({"text": text, "as_of": context.as_of, "sender": context.sender}).filter(asked)
    distinct = rows.unique()
    answers = pl.concat([distinct, context.resolve_unit(distinct).select("code", "issue", "detail")], how="horizontal")
    found = rows.join(answers, on=["text", "as_of", "sender"], how="left", nulls_equal=True, maintain_order="left")
    at = asked.arg_true()
    detail = nulls(raw.len(), pl.String).scatter(at, found["detail"].cast(pl.String))
    before = cleaned.value  # Series.scatter works in place
    value = before.clone().scatter(at, found["code"].cast(pl.String))
    issue = cleaned.issue.scatter(at, found["issue"].cast(pl.String))
    if column.options.get("allowUnknown"):
        issue = without(issue, issue.is_in(["UNKNOWN_UNIT", "AMBIGUOUS_UNIT"]).fill_null(False))
    repair = without(cleaned.repair, issue.is_not_null())
    repair = repair.zip_with(~(names & value.is_not_null()), pl.Series(["UNIT_NAME"]))
    changed = known & value.is_not_null() & (value != before).fill_null(False)
    if changed.any():
        repair = repair.zip_with(~changed, pl.Series(["OLD_CODE"]))
    return Cleaned(value, issue, repair, detail)


def _separated(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """The parts of each cell in its order; line breaks count, which cleaning has made into spaces."""
    parts = clean_text(raw.str.replace_all(r"[\r\n\v\u{2028}]+", ";")).str.replace_all(r" ?[;,][;, ]*", "; ")
    value = parts.str.strip_chars("; ")
    # separators alone are a blank
    emptied = cleaned.value.is_not_null() & (value == "").fill_null(True)
    issue = cleaned.issue
    if column.required and emptied.any():
        issue = issue.zip_with(~emptied, pl.Series([column.options.get("missingCode", "MISSING")]))
    value = without(value, cleaned.value.is_null() | emptied)
    return Cleaned(value.rename(column.name), issue, without(cleaned.repair, emptied), cleaned.detail)


TEXT = SemanticType(
    name="text",
    doc="Free text in one Unicode form with plain spaces; 1000 characters unless the contract says otherwise.",
    logical_types=("string",),
    options=LENGTH,
    cell=_text_cell,
    quick=lambda column, raw, kind: _keep(raw, CANONICAL),
    bulk=_bulk_text,
    check=_too_long,
    quick_kinds=Kind.BOOLEAN,
    keeps_text=True,
)
NAMES = SemanticType(
    name="names",
    doc="Several names or codes in one cell, separated by ; or , or line breaks; kept as 'A; B'.",
    logical_types=("string",),
    options=LENGTH,
    cell=_name_cell,
    quick=lambda column, raw, kind: nulls(raw.len(), pl.String),
    check=_too_long,
    finish=_separated,
)
NAME = SemanticType(
    name="name",
    doc="A name of a place or person: 'NA', 'NULL', 'None' are names; formulas and lost letters are not.",
    logical_types=("string",),
    options=LENGTH,
    cell=_name_cell,
    quick=lambda column, raw, kind: _keep(raw, CANONICAL_NAME),
    bulk=_bulk_text,
    check=no_name,
    key=match_key,
    keeps_text=True,
)
CODE = SemanticType(
    name="code",
    doc="A code kept as text; zeros that a number cell has lost are put back up to the width.",
    logical_types=("string",),
    options={
        **LENGTH,
        "width": "number of digits; shorter ones are padded with zeros",
        "pattern": "regular expression for the whole code (no look-around)",
        "upper": "true: in capital letters",
        "blank": "'': an empty cell is a value of its own, such as 'for all', so that a key is whole",
    },
    cell=_code_cell,
    quick=_quick_code,
    check=_too_long,
)
COMMUNE_CODE = SemanticType(
    name="commune_code",
    doc="The five-digit code of a commune-level unit that exists on the row's day, or its name.",
    logical_types=("string",),
    options={
        **COMMON_OPTIONS,
        "district": "column with the name of the district, for names that are not unique without it",
        "province": "column with the name of the province",
        "allowUnknown": "true: a name that no unit, or several, answer to is a blank, not an issue",
    },
    siblings={"district": ("text", "name"), "province": ("text", "name")},
    cell=_code_cell,
    quick=_quick_code,
    finish=_resolve_units,
)
PROVINCE_CODE = SemanticType(
    name="province_code",
    doc="The two-digit code of a province; with 'extract' also from 'Tỉnh Khánh Hòa (56)'.",
    logical_types=("string",),
    options=COMMON_OPTIONS,
    cell=_code_cell,
    quick=_quick_code,
)
