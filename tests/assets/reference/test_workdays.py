"""Working days: the exceptions are those of the package, counting is that of plain loops, and what is wrong is said."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.reference.workdays import AFTER, FIRST, UnknownDay, known_exceptions, known_workdays, read_exceptions

days = st.dates(FIRST + timedelta(200), AFTER - timedelta(200))


def test_the_file_says_what_the_package_says() -> None:
    known = holidays.country_holidays("VN", years=range(FIRST.year, AFTER.year))
    file = known_exceptions()
    off = set(file.filter(file["kind"] == "off")["day"])
    assert off == set(known), "days_off.csv differs from the package: the Prime Minister may have announced an exchange"
    assert set(file.filter(file["kind"] == "work")["day"]) == known.weekend_workdays


def _worked(day: date) -> bool:
    rows = {r["day"]: r["kind"] for r in known_exceptions().iter_rows(named=True)}
    return rows[day] == "work" if day in rows else day.weekday() < 5


@given(days, st.integers(-12, 12))
def test_counting_is_that_of_a_loop(day: date, n: int) -> None:
    workdays = known_workdays()
    step, found, left = timedelta(1 if n > 0 else -1), day, abs(n)
    while left:
        found += step
        left -= _worked(found)
    assert workdays.shift(day, n) == found
    if n > 0:
        assert workdays.between(day, found) == n
    following, before = workdays.next(day), workdays.previous(day)
    assert before <= day <= following and _worked(following) and _worked(before)
    assert not any(_worked(day + timedelta(i)) for i in range((following - day).days))
    assert not any(_worked(day - timedelta(i)) for i in range((day - before).days))


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (date(2026, 2, 14), date(2026, 2, 23)),  # Tết: from 16 to 20 February, between two weekends
        (date(2026, 4, 26), date(2026, 4, 28)),  # a holiday on a Sunday, made good on the Monday
        (date(2026, 8, 22), date(2026, 8, 22)),  # a Saturday that is worked for 31 August
        (date(2026, 8, 31), date(2026, 9, 3)),
        (date(2026, 11, 24), date(2026, 11, 25)),
    ],
)
def test_days_that_everybody_knows(day: date, after: date) -> None:
    assert known_workdays().next(day) == after


def test_a_day_outside_the_known_years_is_said() -> None:
    with pytest.raises(UnknownDay, match="2046-01-01 is a working day is not known: .* 2010 to 2045"):
        known_workdays().next(AFTER)
    with pytest.raises(UnknownDay):
        known_workdays().shift(AFTER - timedelta(1), 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,kind\n2026-01-01,off\n", "lacks the column name"),
        ("day,kind,name\n01/01/2026,off,x\n", "line 2"),
        ("day,kind,name\n2026-01-01,off,x\n2026-01-02,free,x\n", "line 3"),
        ("day,kind,name\n2026-01-01,off,x\n2026-01-01,work,x\n", "line 2"),
    ],
)
def test_a_wrong_file_names_its_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "days_off.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_exceptions(tmp_path / "days_off.csv")
