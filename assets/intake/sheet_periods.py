"""Which period a sheet speaks for: 'T5', 'Tháng 05-2026', 'Quý II', or what the title above its table says.

Offices keep one workbook with a sheet a month and send the whole of it again and again. Here: reading the period from a
sheet's name or title, and choosing which sheets of a delivery are meant. Not here: the periods themselves
(:mod:`schemas.periods`), the folder's period and the as-of date (:mod:`assets.intake.submissions`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from schemas.contract import Contract
from schemas.grid import FoundTable, Problem
from schemas.periods import Period, as_kind, parse_period
from schemas.text import fold_one

_COPY = re.compile(r" (?:\d{1,2}|copy|ban sao|ban cuoi|chinh thuc|sua|final)$")
"""What Excel and people put behind the name of a sheet that was there already: 'T1 (2)', 'T1 - Copy', 'T1 bản cuối'."""
_YEAR = r"(?: (?:nam )?(?P<year>20\d\d))?"
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_MONTH = re.compile(rf"(?:bc |bao cao |so lieu )?thang (?P<month>0?[1-9]|1[0-2]){_YEAR}")
_SHORT_MONTH = re.compile(rf"t ?(?P<month>0?[1-9]|1[0-2]){_YEAR}")
_QUARTER = re.compile(rf"(?:bc |bao cao |so lieu )?(?:quy |q ?)(?P<quarter>[1-4]|i{{1,3}}|iv){_YEAR}")
_NUMBERS = re.compile(r"(?P<month>0?[1-9]|1[0-2]) (?P<year>20\d\d)|(?P<year2>20\d\d) (?P<month2>0?[1-9]|1[0-2])")
_TITLE = re.compile(
    r"(?<!\d )(?:thang (?P<month>0?[1-9]|1[0-2])|quy (?P<quarter>[1-4]|i{1,3}|iv)) (?:nam )?(?P<year>20\d\d)\b"
)
"""In a title; 'ngày 5 tháng 6 năm 2026' is a day and says nothing about a period."""


def period_of_name(name: str, year: int | None, short_months: bool) -> Period | None:
    """The period that a sheet's name says; without a year in it, that of ``year``.

    ``short_months``: whether 'T5' is the month of May. In a dataset that is not monthly it may as well be the fifth thôn.
    """
    text: str | None = fold_one(name)
    while text:
        for form in (_MONTH, _QUARTER, _NUMBERS, *((_SHORT_MONTH,) if short_months else ())):
            if found := form.fullmatch(text):
                return _period({k: v for k, v in found.groupdict().items() if v}, year)
        copy = _COPY.search(text)
        text = text[: copy.start()] if copy else None
    return None


def period_of_titles(titles: Iterable[str]) -> Period | None:
    """The one period that the rows above a table name; None where there is none, or several."""
    periods = {
        _period({k: v for k, v in m.groupdict().items() if v}, None)
        for title in titles
        for m in _TITLE.finditer(fold_one(title[:1000]))
    }
    return periods.pop() if len(periods) == 1 else None


def _period(parts: dict[str, str], year: int | None) -> Period | None:
    stated = parts.get("year") or parts.get("year2") or year
    if stated is None:
        return None
    if quarter := parts.get("quarter"):
        return parse_period(f"{stated}-Q{_ROMAN.get(quarter) or int(quarter)}")
    return parse_period(f"{stated}-{int(parts.get('month') or parts['month2']):02}")


def is_coarser(folder: str, contract: Contract) -> bool:
    """Whether a folder's period is too coarse to be one of the contract's."""
    try:
        return as_kind(parse_period(folder, contract.calendar), contract.period_type, contract.calendar) is None
    except ValueError:
        return False


@dataclass(frozen=True)
class Meant:
    """A table that is read, and the period that its sheets say, as the contract counts periods; None: the folder's."""

    table: FoundTable
    said: Period | None
    period: Period | None


def meant(contract: Contract, folder: str, tables: Sequence[FoundTable]) -> list[Meant]:
    """Which of the tables of one dataset, one for each period that sheets say, are read in a delivery of that folder.

    A folder as fine as the contract's periods, or finer, means one period: sheets of other periods are left, and
    named, where one of this period is there. A coarser folder means each of its periods that a sheet says. Of several
    sheets within one period (months, for a quarterly list) the last one counts, since it is the latest word. Sheets
    without a period of their own are the folder's.
    """
    if all(t.period is None for t in tables):
        return [Meant(t, None, None) for t in tables]
    try:
        named = parse_period(folder, contract.calendar)
    except ValueError:
        return [Meant(t, None, None) for t in tables]
    one = as_kind(named, contract.period_type, contract.calendar)
    chosen: dict[str, Meant] = {}
    left: list[FoundTable] = []
    for table in sorted(tables, key=lambda t: (t.period is not None, t.period)):
        said = parse_period(table.period, contract.calendar) if table.period else None
        period = as_kind(said, contract.period_type, contract.calendar) if said else one
        label = period.label if period else ""
        if label in chosen:
            left.append(chosen[label].table)
        chosen[label] = Meant(table, said, period)
    if one is None:
        kept = {k for k, m in chosen.items() if m.said and _overlap(m.said, named)}
    else:
        kept = {one.label} if one.label in chosen else {max(chosen)}
    if not kept:
        kept = {max(chosen)}
    left += [m.table for label, m in chosen.items() if label not in kept]
    note = _not_read(left)
    return [
        replace(m, table=replace(m.table, problems=[*m.table.problems, *note]))
        for label, m in chosen.items()
        if label in kept
    ]


def _overlap(one: Period, other: Period) -> bool:
    return one.first <= other.last and other.first <= one.last


def _not_read(left: Sequence[FoundTable]) -> list[Problem]:
    names = [lay.name for table in left for lay in table.layouts]
    return [Problem("OTHER_PERIODS", {"sheets": ", ".join(names)})] if names else []
