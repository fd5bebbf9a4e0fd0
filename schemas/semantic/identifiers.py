"""Numbers and codes that name a person or an office: personal ID, tax code, telephone, electronic agency code.

Domain brief §4 and §6.2. They are texts: Excel drops their leading zero and shows the rest as 5.6E+10. A zero is put back
only where something else in the cell or the row proves it. Issues of this module carry no value: most of these are
personal data. The libraries of telephone numbers and check digits are imported by the first column that needs them.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from types import MappingProxyType

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
    nulls,
    without,
)
from schemas.text import fold

_PROVINCES = """
01 02 04 06 08 10 11 12 14 15 17 19 20 22 24 25 26 27 30 31 33 34 35 36 37 38 40 42 44 45 46 48 49 51 52 54 56 58 60 62 64 66
67 68 70 72 74 75 77 79 80 82 83 84 86 87 89 91 92 93 94 95 96
"""
OLD_PROVINCES = frozenset(_PROVINCES.split())
"""The 63 provinces before 1 July 2025: a personal ID begins with '0' and the code of the one that registered the birth."""

_WHOLE = re.compile(r"([0-9]+)[.,]0+")
"""A whole number that some program has written as a decimal: '56085001234.0'."""
_GROUPS = re.compile(
    r"[0-9]{3}(?P<a>[ .-])[0-9]{3}(?P=a)[0-9]{6}|[0-9]{3}(?P<b>[ .-])[0-9]{3}(?P=b)[0-9]{3}(?P=b)[0-9]{3}"
    r"|[0-9]{4}(?P<c>[ .-])[0-9]{4}(?P=c)[0-9]{4}|[0-9]{3}(?P<d>[ .-])[0-9](?P=d)[0-9]{2}(?P=d)[0-9]{6}"
)
"""How twelve digits are grouped for reading: 056.085.001234, 056 085 001 234, 0560 8500 1234, 056 0 85 001234."""
_CITIZEN = "^(?:0[0-9][1-9]|0[1-9]0|[1-9][0-9]{2})[0-9]{9}$"
"""Twelve digits whose first three are not 000."""


def _bare(text: str) -> tuple[str, str | None]:
    """Without Excel's apostrophe for 'this is text' and without the '.0' of a number; the repair, if any."""
    text = text.removeprefix("'")
    whole = _WHOLE.fullmatch(text)
    return (whole[1], "DECIMAL_ZERO") if whole else (text, None)


def _not_so_many(digits: str, *lengths: int) -> str | None:
    """How many digits there are, where that is what is wrong: a number that says nothing of whose they are."""
    return str(len(digits)) if digits.isascii() and digits.isdigit() and len(digits) not in lengths else None


# --- personal ID ----------------------------------------------------------------------------------------------------


def _citizen_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        if kind not in (Kind.TEXT, Kind.NUMBER):
            return Cell(issue="BAD_CITIZEN_ID")
        digits, repair = _bare(text)
        if kind == Kind.TEXT and _GROUPS.fullmatch(digits):
            digits, repair = re.sub("[ .-]", "", digits), "SEPARATORS"
        if re.fullmatch(_CITIZEN, digits):
            return Cell(digits, None, repair)
        if re.fullmatch("[0-9]{9}|[0-9]{3}([ .])[0-9]{3}\\1[0-9]{3}", digits):
            return Cell(issue="OLD_ID_CARD")
        if re.fullmatch("[1-9][0-9]{10}", digits) and digits[:2] in OLD_PROVINCES:
            return Cell("0" + digits, None, "LEADING_ZERO")  # stands only if the row proves it, below
        return Cell(issue="BAD_CITIZEN_ID", detail=_not_so_many(digits, 12))

    return read


_SENT = re.compile(r"[0-9](?:[\s.,'-]{0,2}[0-9]){7,13}")


def _sent_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        digits, _ = _bare(text)
        found = _SENT.fullmatch(digits) if kind in (Kind.TEXT, Kind.NUMBER) else None
        return Cell(re.sub("[^0-9]", "", digits)) if found else Cell(issue="BAD_CITIZEN_ID")

    return read


def _card_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        digits, repair = _bare(text)
        if kind not in (Kind.TEXT, Kind.NUMBER):
            return Cell(issue="BAD_ID_CARD")
        if kind == Kind.TEXT and (
            re.fullmatch("[0-9]{3}([ .])[0-9]{3}\\1[0-9]{3}", digits) or _GROUPS.fullmatch(digits)
        ):
            digits, repair = re.sub("[ .-]", "", digits), "SEPARATORS"
        if re.fullmatch("[0-9]{9}", digits) or re.fullmatch(_CITIZEN, digits):
            return Cell(digits, None, repair)
        if re.fullmatch("[1-9][0-9]{7}", digits):
            return Cell("0" + digits, None, "LEADING_ZERO")
        return Cell(issue="BAD_ID_CARD", detail=_not_so_many(digits, 9, 12))

    return read


def _birth_year(value: pl.Series) -> pl.Series:
    """The year that a personal ID says: 0 and 1 are men and women of 19xx, 2 and 3 of 20xx, and so on."""
    century = value.str.slice(3, 1).cast(pl.Int32, strict=False) // 2
    return 1900 + 100 * century + value.str.slice(4, 2).cast(pl.Int32, strict=False)


def _not_born(column: Column, value: pl.Series, context: Context) -> Checks:
    if value.null_count() == value.len():
        return []
    return [(_birth_year(value) > context.received.dt.year(), "BAD_CITIZEN_ID")]


def _cross_check(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """Against the row's sex and year of birth: a difference is an error, and a zero is put back only where both agree."""
    value = cleaned.value
    if value.null_count() == value.len():
        return cleaned
    agree: list[pl.Series] = []
    born, sex = context.sibling(column, "birthDate"), context.sibling(column, "sex")
    if born is not None:
        agree.append(_birth_year(value) == (born.dt.year() if born.dtype == pl.Date else born))
    if sex is not None:
        words = fold(sex)
        woman = pl.select(pl.when(words == "nu").then(1).when(words == "nam").then(0)).to_series()
        agree.append(value.str.slice(3, 1).cast(pl.Int32, strict=False) % 2 == woman)
    differs, proved = pl.Series([False]).new_from_index(0, value.len()), nulls(value.len(), pl.Boolean)
    for one in agree:
        differs = differs | ~one.fill_null(True)
    if len(agree) == 2:
        proved = agree[0] & agree[1]
    unproved = (cleaned.repair == "LEADING_ZERO").fill_null(False) & ~proved.fill_null(False)
    wrong = differs | unproved
    if not wrong.any():
        return cleaned
    issue = cleaned.issue.zip_with(~differs, pl.Series(["ID_MISMATCH"]))
    issue = issue.zip_with(~unproved, pl.Series(["BAD_CITIZEN_ID"]))
    detail = cleaned.detail if cleaned.detail is not None else nulls(value.len(), pl.String)
    detail = detail.zip_with(~unproved, pl.Series(["11"]))
    return Cleaned(without(value, wrong), issue, without(cleaned.repair, wrong), detail)


def _quick_citizen(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    return without(raw, ~raw.str.contains(_CITIZEN).fill_null(False))


# --- tax code -------------------------------------------------------------------------------------------------------


def _tax_cell(column: Column) -> ReadCell:
    from stdnum.vn import mst

    people = bool(column.options.get("allowCitizenId"))

    def read(text: str, kind: int, received: date) -> Cell:
        code, repair = _bare(text)
        if kind == Kind.TEXT and re.fullmatch(
            r"[0-9]{2,}([ .][0-9]{2,})+( ?- ?[0-9]{3})?|[0-9]{10} ?- ?[0-9]{3}", code
        ):
            plain = re.sub("[ .]", "", code)
            code, repair = plain, repair if plain == code else "SEPARATORS"
        if people and re.fullmatch(_CITIZEN, code):
            return Cell(code, None, repair)
        if kind not in (Kind.TEXT, Kind.NUMBER) or not re.fullmatch(r"[0-9]{10}(?:-?[0-9]{3})?", code):
            return Cell(issue="BAD_TAX_CODE")
        # the first two digits are the tax office, from 01: a code that begins with 00 has come out of lost zeros put back
        if not mst.is_valid(code) or code.startswith("00"):
            return Cell(issue="BAD_TAX_CODE")
        written: str = mst.format(code)
        return Cell(written, None, repair or (None if written == code else "SEPARATORS"))

    return read


# --- telephone ------------------------------------------------------------------------------------------------------

_OLD_MOBILE = MappingProxyType(
    {
        **{f"16{n}": f"3{n}" for n in range(2, 10)},
        **{"120": "70", "121": "79", "122": "77", "126": "76", "128": "78"},
        **{"123": "83", "124": "84", "125": "85", "127": "81", "129": "82"},
        **{"186": "56", "188": "58", "199": "59"},
    }
)
"""Mobile prefixes of eleven-digit numbers until 2018 and what became of them."""


@cache
def _national(*kinds: str) -> str:
    """Pattern of Vietnamese numbers of these kinds without their leading zero."""
    import phonenumbers

    known = phonenumbers.PhoneMetadata.metadata_for_region("VN")
    assert known is not None
    return "|".join(getattr(known, kind).national_number_pattern for kind in kinds)


def _foreign(text: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        return None
    if number.country_code == 84 or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _phone_cell(column: Column) -> ReadCell:
    subscribers, services = (
        re.compile(_national("mobile", "fixed_line")),
        re.compile(_national("toll_free", "premium_rate")),
    )

    def read(text: str, kind: int, received: date) -> Cell:
        bare, repair = _bare(text)
        # groups of at least two digits: '258382222.5' is a number, not a telephone
        grouped = re.fullmatch(r"(\+[0-9]+|\(0\)|\(?[0-9]{2,}\)?)([ .-]?[ .-]?(\(0\)|\(?[0-9]{2,}\)?))*", bare)
        if kind not in (Kind.TEXT, Kind.NUMBER) or not grouped or (kind == Kind.NUMBER and not bare.isdigit()):
            return Cell(issue="BAD_PHONE")
        digits = re.sub("[^0-9]", "", bare)
        abroad = bare.startswith("+") or digits.startswith("00")
        code = digits.lstrip("0") if abroad else digits
        if code.startswith("84") and (abroad or len(code) in (11, 12)):
            number = code[2:].removeprefix("0")
        elif abroad:
            number = _foreign("+" + code) or ""
            return Cell(number, None, repair) if number else Cell(issue="BAD_PHONE")
        elif services.fullmatch(digits):
            number = digits
        elif digits.startswith("0"):
            number = digits[1:]
        else:
            number, repair = digits, "LEADING_ZERO"
        if len(number) == 10 and number[:3] in _OLD_MOBILE:
            number, repair = _OLD_MOBILE[number[:3]] + number[3:], "OLD_PREFIX"
        if subscribers.fullmatch(number) or services.fullmatch(number):
            return Cell("+84" + number, None, repair)
        return Cell(issue="BAD_PHONE")

    return read


def _quick_phone(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    number = raw.str.extract(rf"^(?:0|\+84)({_national('mobile', 'fixed_line')})$", 1)
    return without("+84" + number, kind == Kind.NUMBER)


# --- electronic agency code -----------------------------------------------------------------------------------------

_BOTTOM_UP = re.compile(r"([0-9]{3})[.]([0-9]{2})[.]([0-9]{2})[.]([A-Z][0-9]{2})")
"""QCVN 102:2016, the smallest body first: 000.00.15.H32."""
_TOP_DOWN = re.compile(r"[A-Z][0-9]{2}(?:[.][0-9A-Z]{2,3}){0,10}")
"""QĐ 20/2020/QĐ-TTg, the province or ministry first: H32.15."""


def _agency_cell(column: Column) -> ReadCell:
    def read(text: str, kind: int, received: date) -> Cell:
        code = re.sub(r" ?([.-]) ?", ".", text.removeprefix("'").upper())
        if found := _BOTTOM_UP.fullmatch(code):
            parts = found.groups()[::-1]
            code, order = ".".join(parts), "TOP_DOWN"
        elif _TOP_DOWN.fullmatch(code) and len(code) <= 35:
            order = None
        else:
            return Cell(issue="BAD_AGENCY_ID")
        shown = re.sub(r"(?:\.0{2,3})+$", "", code)
        if re.search(r"\.0{2,3}(?:\.|$)", shown):
            return Cell(issue="BAD_AGENCY_ID")  # a body below a level that is not there
        return Cell(shown, None, order or (None if shown == text else "SEPARATORS"))

    return read


CITIZEN_ID = SemanticType(
    name="citizen_id",
    doc="The 12 digits of a personal ID; checked against sex and birth of the row, a lost zero put back where both agree.",
    logical_types=("string",),
    options={
        **COMMON_OPTIONS,
        "birthDate": "the column with the date (or year) of birth, to check against",
        "sex": "the column with the sex (values NAM, NU), to check against",
    },
    cell=_citizen_cell,
    quick=_quick_citizen,
    check=_not_born,
    finish=_cross_check,
    siblings={"birthDate": ("date", "integer"), "sex": ("category",)},
)
ID_CARD = SemanticType(
    name="id_card",
    doc="The number of an old identity card (CMND, 9 digits, a lost zero put back), or of a later one: another name of a person.",
    logical_types=("string",),
    options=COMMON_OPTIONS,
    cell=_card_cell,
    quick=lambda column, raw, kind: without(raw, ~raw.str.contains("^[0-9]{9}$").fill_null(False)),
)
ID_AS_SENT = SemanticType(
    name="id_as_sent",
    doc="The 8 to 14 digits that stand in the cell of a personal ID, right or wrong, so that the person may still be found.",
    logical_types=("string",),
    options=COMMON_OPTIONS,
    cell=_sent_cell,
    quick=lambda column, raw, kind: without(raw, ~raw.str.contains(_CITIZEN).fill_null(False)),
)
TAX_CODE = SemanticType(
    name="tax_code",
    doc="A tax code (MST): 10 digits with their check digit, '-' and 3 digits for a branch.",
    logical_types=("string",),
    options={**COMMON_OPTIONS, "allowCitizenId": "true: a 12-digit personal ID is a tax code too (individuals)"},
    cell=_tax_cell,
    quick=lambda column, raw, kind: nulls(raw.len(), pl.String),
)
PHONE = SemanticType(
    name="phone",
    doc="A telephone number, stored as +84…; eleven-digit mobile numbers from before 2018 in their new form.",
    logical_types=("string",),
    options=COMMON_OPTIONS,
    cell=_phone_cell,
    quick=_quick_phone,
)
AGENCY_ID = SemanticType(
    name="agency_id",
    doc="The electronic code of an agency in either order (000.00.15.H32, H32.15), stored from the top down.",
    logical_types=("string",),
    options=COMMON_OPTIONS,
    cell=_agency_cell,
    quick=lambda column, raw, kind: nulls(raw.len(), pl.String),
)
