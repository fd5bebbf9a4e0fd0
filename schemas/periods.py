"""Reporting periods: labels, their first and last day, and the calendars in which they are counted.

Labels: ``2026-06`` (month), ``2026-Q2`` (quarter), ``2026-H1`` (half), ``2026`` (year). Calendars: *civil*, or the
*reporting* months of NĐ 09/2019 (``domain.md`` §3: a month runs from the 15th of the month before to the 14th, a quarter
and a half to the 14th of its last month, a year from 15 December to 14 December).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from .contract import PeriodType

Calendar = Literal["civil", "reporting"]

_FORMS: tuple[tuple[PeriodType, re.Pattern[str]], ...] = (
    ("month", re.compile(r"(?P<year>\d{4})-(?P<part>0[1-9]|1[0-2])")),
    ("quarter", re.compile(r"(?P<year>\d{4})-[Qq](?P<part>[1-4])")),
    ("half", re.compile(r"(?P<year>\d{4})-[Hh](?P<part>[12])")),
    ("year", re.compile(r"(?P<year>\d{4})")),
)
_MONTHS: dict[PeriodType, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}


@dataclass(frozen=True, order=True)
class Period:
    """One reporting period; ``first`` and ``last`` are inclusive days."""

    first: date
    last: date
    kind: PeriodType
    label: str

    def contains(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.first <= day <= self.last


def _first_of_month(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def make_period(kind: PeriodType, year: int, part: int, calendar: Calendar = "civil") -> Period:
    """The ``part``-th period of that kind in the year (1-based; 1 for a year)."""
    length = _MONTHS[kind]
    start = (part - 1) * length + 1
    first, after = _first_of_month(year, start), _first_of_month(year, start + length)
    if calendar == "reporting":
        # the reporting period ends on the 14th of its last month and begins where the one before ended
        before = _first_of_month(year - 1, start + 11)
        first, after = before.replace(day=15), _first_of_month(year, start + length - 1).replace(day=15)
    label = {"month": f"{year}-{part:02}", "quarter": f"{year}-Q{part}", "half": f"{year}-H{part}", "year": f"{year}"}
    return Period(first, after - timedelta(days=1), kind, label[kind])


def parse_period(label: str, calendar: Calendar = "civil") -> Period:
    """The period of a label; :class:`ValueError` where it is none."""
    for kind, form in _FORMS:
        if match := form.fullmatch(label.strip()):
            parts = match.groupdict()
            year = int(parts["year"])
            if 1900 <= year <= 2999:
                return make_period(kind, year, int(parts.get("part") or 1), calendar)
    raise ValueError(f"not a period: {label!r} (2026-06, 2026-Q2, 2026-H1 or 2026)")


def period_of(day: date, kind: PeriodType, calendar: Calendar = "civil") -> Period:
    """The period of that kind in which a day lies."""
    for year in (day.year, day.year + 1):
        for part in range(1, 12 // _MONTHS[kind] + 1):
            period = make_period(kind, year, part, calendar)
            if period.contains(day):
                return period
    raise ValueError(f"no {kind} period holds {day}")


def as_kind(period: Period, kind: PeriodType, calendar: Calendar = "civil") -> Period | None:
    """The period of the wanted kind that holds a period of another kind, or None where it is too coarse to tell.

    A folder ``2026-06`` may hold a quarterly dataset: June lies in the second quarter. A folder ``2026`` cannot.
    """
    if period.kind == kind:
        return period
    if _MONTHS[period.kind] > _MONTHS[kind]:
        return None
    match = re.fullmatch(r"(\d{4})(?:-[QH]?(\d+))?", period.label)
    assert match
    last_month = int(match[2] or 1) * _MONTHS[period.kind]
    return make_period(kind, int(match[1]), (last_month - 1) // _MONTHS[kind] + 1, calendar)


def periods_between(kind: PeriodType, first: date, last: date, calendar: Calendar = "civil") -> Iterator[Period]:
    """All periods of that kind that touch the days from ``first`` to ``last``."""
    period = period_of(first, kind, calendar)
    while period.first <= last:
        yield period
        period = period_of(period.last + timedelta(days=1), kind, calendar)
