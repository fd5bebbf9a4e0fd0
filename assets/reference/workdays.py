"""Working days: Monday to Friday without the public holidays of Vietnam, with the Saturdays that are worked in exchange.

Holidays are those of Bộ luật Lao động 2019, Điều 112 (Tết by the lunar calendar), with their substitutes where they fall on a
weekend (Điều 111) and the exchanges that the Prime Minister has announced; the file ``days_off.csv`` holds them as the package
``holidays`` knows them (a test compares), so that no figure depends on the release that is installed. What is announced later is
added there, or in a ``days_off.csv`` of the folder that takes the place of the reference lists.

Here: which day is worked, and counting. Not here: until when something is due (:mod:`assets.reference.due`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).parent
FIRST, AFTER = date(2010, 1, 1), date(2046, 1, 1)
"""The days that are known, half-open."""
SCHEMA = pl.Schema({"day": pl.Date, "kind": pl.String, "name": pl.String})
"""Exceptions: ``kind`` is off, or work (a day of a weekend that is worked)."""


class UnknownDay(ValueError):
    """A day outside the years whose holidays are known; the text says which those are."""

    def __init__(self, day: date) -> None:
        super().__init__(
            f"whether {day.isoformat()} is a working day is not known: days_off.csv is for {FIRST.year} to {AFTER.year - 1}"
        )


class Workdays:
    """The working days from :data:`FIRST` to :data:`AFTER`; raises :class:`UnknownDay` for any other day.

    ``exceptions``: the rows of :data:`SCHEMA`.
    """

    def __init__(self, exceptions: pl.DataFrame) -> None:
        self.exceptions = exceptions
        days = np.arange(np.datetime64(FIRST), np.datetime64(AFTER))
        self._worked = np.is_busday(days)
        for kind, worked in (("off", False), ("work", True)):
            found = exceptions.filter((pl.col("kind") == kind) & pl.col("day").is_between(FIRST, AFTER, closed="left"))
            self._worked[(found["day"].to_numpy() - days[0]).astype(int)] = worked
        self._counted = np.cumsum(self._worked)
        """How many working days there are up to each day."""
        self._at = np.flatnonzero(self._worked)

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return bool(self._worked[_place(day)])

    def next(self, day: date) -> date:
        """The day itself where it is worked, else the next that is."""
        return self._day(int(self._counted[_place(day)]) - self.works(day))

    def previous(self, day: date) -> date:
        """The day itself where it is worked, else the last that was."""
        return self._day(int(self._counted[_place(day)]) - 1)

    def shift(self, day: date, n: int) -> date:
        """The ``n``-th working day after the day (n > 0), or before it (n < 0)."""
        if n == 0:
            return day
        before = int(self._counted[_place(day)]) - (self.works(day) if n < 0 else 0)
        return self._day(before + n - (n > 0))

    def between(self, day: date, last: date) -> int:
        """How many working days come after ``day`` up to ``last``; 0 where that is not later."""
        return max(0, int(self._counted[_place(last)]) - int(self._counted[_place(day)]))

    def table(self) -> pl.DataFrame:
        """A row for each day: day, works, number (of working days up to it), name (of a holiday, or of a Saturday worked)."""
        days = pl.DataFrame({
            "day": pl.date_range(FIRST, AFTER, closed="left", eager=True), "works": self._worked, "number": self._counted,
        })  # fmt: skip
        return days.join(self.exceptions.select("day", "name"), on="day", how="left", maintain_order="left")

    def _day(self, n: int) -> date:
        if not 0 <= n < len(self._at):
            raise UnknownDay(AFTER if n > 0 else FIRST - timedelta(days=1))
        return FIRST + timedelta(days=int(self._at[n]))


def _place(day: date) -> int:
    if not FIRST <= day < AFTER:
        raise UnknownDay(day)
    return (day - FIRST).days


def read_exceptions(path: Path) -> pl.DataFrame:
    """The exceptions of a file ``day,kind,name``; raises :class:`ValueError` naming the line."""
    found = pl.read_csv(path, infer_schema=False)
    if missing := [column for column in SCHEMA if column not in found.columns]:
        raise ValueError(f"{path.name} lacks the column {missing[0]}; its header is {','.join(SCHEMA)}")
    read = found.select(
        pl.col("day").str.to_date("%Y-%m-%d", strict=False), pl.col("kind"), pl.col("name").fill_null("")
    )
    wrong = read.with_row_index().filter(
        pl.col("day").is_null()
        | ~pl.col("kind").is_in(["off", "work"]).fill_null(False)
        | pl.col("day").is_duplicated()
    )
    if wrong.height:
        raise ValueError(
            f"{path.name}, line {wrong['index'][0] + 2}: day must be written 2026-08-31 and stand there once, kind be off or work"
        )
    return read.cast(SCHEMA).sort("day")


@lru_cache(maxsize=1)
def known_exceptions() -> pl.DataFrame:
    """Those of the file beside this module."""
    return read_exceptions(HERE / "days_off.csv")


@lru_cache(maxsize=1)
def known_workdays() -> Workdays:
    """The working days by the file beside this module."""
    return Workdays(known_exceptions())


def workdays_of(days: Iterable[tuple[date, str, str]]) -> Workdays:
    """The working days by exceptions that are given as rows."""
    return Workdays(pl.DataFrame(list(days), schema=SCHEMA, orient="row"))
