"""Until when a period of a dataset is to be sent: the contract's due day, moved to a working day where the contract says so.

Here: days. Not here: who was due to send and what became of it (:mod:`assets.marts.due`, and the log of submissions).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.contract import Contract
from schemas.periods import Period, period_of, periods_between

from .workdays import AFTER, FIRST, UnknownDay, Workdays

_LAST = AFTER - timedelta(days=1)


@dataclass(frozen=True)
class Expected:
    """A period of a dataset that somebody is expected to send.

    ``label``: the period's, or with the value of rows that are due by themselves (2026/KE_HOACH); ``first`` and ``last``: its days;
    ``opens_on`` and ``due_on``: the first and last day on which it can be sent.
    """

    label: str
    first: date
    last: date
    opens_on: date
    due_on: date


def due_on(contract: Contract, period: Period, workdays: Workdays) -> date:
    """Last day for sending a period: the first ``dueDay`` of a month that comes after the period (20 June for a reporting month
    that ends on the 14th), or that of the month that is ``dueMonths`` later; the last day of a month that has no such day.

    A day that is not worked is moved as ``dueShift`` says: by default to the next working day (Bộ luật Dân sự 2015, Điều 148).
    Raises :class:`assets.reference.workdays.UnknownDay`.
    """
    assert contract.due_day is not None
    month = period.last.replace(day=1)
    for _ in range(contract.due_months or 0):
        month = (month + timedelta(days=32)).replace(day=1)
    while (day := _day(month, contract.due_day)) <= period.last:
        month = (month + timedelta(days=32)).replace(day=1)
    return _moved(contract, day, workdays)


def expected(contract: Contract, first: date, last: date, workdays: Workdays) -> Iterator[Expected]:
    """What of a contract can be sent, or will soon be: its periods from that of ``first`` on that have begun by ``last``, and of
    rows with the value of ``dueBefore`` the periods that begin within a month of it.

    Periods outside the years whose holidays are known are expected of nobody: a folder may be called 1926-Q2, or 2206-Q2."""
    if contract.due_day is None:
        return
    start = period_of(min(max(first, FIRST), _LAST), contract.period_type, contract.calendar).first
    for period in periods_between(contract.period_type, start, min(max(start, last), _LAST), contract.calendar):
        opens = period.last + timedelta(days=1)
        with suppress(UnknownDay):
            yield Expected(period.label, period.first, period.last, opens, due_on(contract, period, workdays))
    if contract.due_before is not None:
        end = min(max(start, last + timedelta(days=31)), _LAST)
        for period in periods_between(contract.period_type, start, end, contract.calendar):
            with suppress(UnknownDay):
                yield due_early(contract, period, workdays)


def due_early(contract: Contract, period: Period, workdays: Workdays) -> Expected:
    """What is due before a period, on the last working day: rows with the value of ``dueBefore``. It counts in that month."""
    assert contract.due_before is not None
    day = period.first - timedelta(days=1)
    first = day.replace(day=1)
    # before its period: a day after that would be no plan any more
    due = workdays.previous(day) if contract.due_shift != "none" else day
    return Expected(f"{period.label}/{contract.due_before[1]}", first, day, first, due)


def _moved(contract: Contract, day: date, workdays: Workdays) -> date:
    if contract.due_shift == "none":
        return day
    return workdays.next(day) if contract.due_shift == "next" else workdays.previous(day)


def _day(month: date, day: int) -> date:
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return month.replace(day=min(day, last.day))
