"""What exactly is wrong with a cell, as its sender is told: the days of that month, the limits, the nearest value of the list.

Read again from the cell's own text when it is told, so that nothing more about it has to be stored; of what is kept in the
vault nobody asks here but for the detail of its verdict. Not here: whether a cell is wrong (the semantic types), the words
(:mod:`schemas.messages`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from schemas import messages
from schemas.codes import CODES
from schemas.contract import Column, EnumValue
from schemas.text import clean_one, fold_one
from schemas.vietnam import local_day, written_day, written_number

from .dates import FIRST_DAY, LAST_DAY, parts_of
from .numbers import INTEGER_DEFAULTS, MONEY_DEFAULTS, PERCENT_DEFAULTS
from .texts import longest, width_of

FORMS: Mapping[str, tuple[str, ...]] = {
    "AMBIGUOUS_NUMBER.two": ("large", "small"),
    "AMBIGUOUS_NUMBER.whole": ("large", "small"),
    "AMBIGUOUS_PERCENT.two": ("large", "small"),
    "BAD_CITIZEN_ID.length": (),
    "BAD_CODE.letters": ("width",),
    "BAD_CODE.width": ("length", "width"),
    "BAD_DATE.day": ("month", "days"),
    "BAD_DATE.month": ("month",),
    "BAD_DATE.swapped": ("month", "day"),
    "BAD_ID_CARD.length": (),
    "FUTURE_DATE.received": ("received",),
    "NOT_IN_LIST.choices": ("choices",),
    "NOT_IN_LIST.nearest": ("nearest",),
    "OTHER_YEAR.year": ("year",),
    "OUT_OF_RANGE.bounds": ("bounds",),
    "TOO_LONG.length": ("length",),
    "UNKNOWN_UNIT.near": (),
}
"""The more exact forms of texts about a cell, and what each speaks of beyond :data:`schemas.codes.CELL`."""

_LIKE = 0.6
"""How alike a value of the list must be to be named."""
_LONGEST = 100
"""Characters that are compared with the values of a list: it takes squared time."""
_SHORT_LIST = 8
"""Values up to which a list is told as a whole."""
_DEFAULTS = {"integer": INTEGER_DEFAULTS, "money": MONEY_DEFAULTS, "percent": PERCENT_DEFAULTS}
_TWO_WAYS = re.compile(r"([-+\u2212]?[0-9]+)[.,]([0-9]{3})")

Exact = tuple[str, dict[str, Any]]
"""A form ('' for the plain one) and what it speaks of."""


def worded(
    column: Column, code: str, words: Mapping[str, Any], about: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """Message and remedy for a cell of ``column``, as exact as can be.

    ``words``: what is known of it (:data:`schemas.codes.CELL`); ``about``: its submission (``as_of`` a date, ``received_at`` a
    time), where it is known.
    """
    given = {"limit": longest(column), "candidates": "", **words}
    form, more = _exact(column, code, given, about or {})
    return CODES[code].text(form, **given, **more), CODES[code].advice(form, **given, **more)


def _exact(column: Column, code: str, words: Mapping[str, Any], about: Mapping[str, Any]) -> Exact:
    if words["candidates"]:
        return {"BAD_CITIZEN_ID": "length", "BAD_ID_CARD": "length", "UNKNOWN_UNIT": "near"}.get(code, ""), {}
    text = clean_one(str(words.get("value") or ""))
    if code == "OTHER_YEAR" and about.get("as_of"):
        return "year", {"year": about["as_of"].year}
    if code == "FUTURE_DATE" and about.get("received_at"):
        return "received", {"received": written_day(local_day(about["received_at"]))}
    if code == "OUT_OF_RANGE" and (bounds := bounds_of(limits_of(column))):
        return "bounds", {"bounds": bounds}
    if not text or column.vaulted:
        return "", {}
    reader = _READERS.get(code)
    return reader(column, text) if reader else ("", {})


def _two_numbers(column: Column, text: str) -> Exact:
    found = _TWO_WAYS.fullmatch(text)
    if found is None:
        return "", {}
    head, tail = found.groups()
    return "whole" if column.logical_type == "integer" else "two", {"large": head + tail, "small": f"{head},{tail}"}


def _two_percents(column: Column, text: str) -> Exact:
    if not re.fullmatch(r"[0-9]+(?:[.,][0-9]+)?", text):
        return "", {}
    number = Decimal(text.replace(",", "."))
    return "two", {"small": written_number(number), "large": written_number(number * 100)}


def _wrong_width(column: Column, text: str) -> Exact:
    width = width_of(column)
    if width is None or "pattern" in column.options:
        return "", {}
    if text.isascii() and text.isdigit() and len(text) != width:
        return "width", {"length": len(text), "width": width}
    return "letters", {"width": width}


def _no_such_day(column: Column, text: str) -> Exact:
    parts = parts_of(text)
    if parts is None:
        return "", {}
    day, month, year = parts
    if month > 12:
        if 1 <= day <= 12 and month <= monthrange(year, day)[1]:
            return "swapped", {"month": month, "day": f"{month:02}/{day:02}/{year}"}
        return "month", {"month": month}
    if month == 0 or day <= (days := monthrange(year, month)[1]):
        return "", {}
    return "day", {"month": f"{month} năm {year}" if month == 2 else month, "days": days}


def _not_listed(column: Column, text: str) -> Exact:
    folded = fold_one(text)[:_LONGEST]
    if folded and (label := _nearest(column.enum, folded)):
        return "nearest", {"nearest": label}
    if column.enum and len(column.enum) <= _SHORT_LIST:
        return "choices", {"choices": "; ".join(entry.label or entry.value for entry in column.enum)}
    return "", {}


@lru_cache(maxsize=4096)  # the same wrong value stands in many rows
def _nearest(enum: tuple[EnumValue, ...], folded: str) -> str | None:
    """Label of the value of which a spelling looks most like a text."""
    spellings = {
        fold_one(spelling): entry.label or entry.value
        for entry in enum
        for spelling in (entry.value, *entry.synonyms, entry.label)
    }
    like = get_close_matches(folded, spellings, 1, _LIKE)
    return spellings[like[0]] if like else None


def _length(column: Column, text: str) -> Exact:
    return "length", {"length": len(text)}


_READERS: Mapping[str, Callable[[Column, str], Exact]] = {
    "AMBIGUOUS_NUMBER": _two_numbers,
    "AMBIGUOUS_PERCENT": _two_percents,
    "BAD_CODE": _wrong_width,
    "BAD_DATE": _no_such_day,
    "NOT_IN_LIST": _not_listed,
    "TOO_LONG": _length,
}


def limits_of(column: Column) -> dict[str, Any]:
    """The limits of a column: its contract's, else those of its type."""
    low, high = _DEFAULTS.get(column.semantic_type, (None, None))
    defaults: dict[str, Any] = {"minimum": low, "maximum": high}
    if column.logical_type in ("date", "timestamp"):
        defaults = {"minimum": FIRST_DAY, "maximum": LAST_DAY}
    for name, other in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if other in column.options:
            del defaults[name]
    return {**defaults, **column.options}


def bounds_of(limits: Mapping[str, Any]) -> str:
    """Limits (``minimum``, ``exclusiveMinimum``, ``maximum``, ``exclusiveMaximum``) in words; '' for none."""
    given = [o for o in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum") if limits.get(o) is not None]
    alone = given == ["minimum"] and not isinstance(limits["minimum"], str | date)
    return " ".join(messages.text("bound", "from" if alone else o, limit=_limit(limits[o])) for o in given)


def _limit(value: Any) -> str:
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return written_day(value) if isinstance(value, date) else written_number(Decimal(str(value)))
