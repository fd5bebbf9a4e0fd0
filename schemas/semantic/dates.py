"""Dates and times as Vietnamese offices write them: the day always comes first.

Rule N17 of the domain brief. Nothing is inferred: a bare year is not a day, an impossible date is not a blank, a number
is a date only as a number cell in the range of Excel's serials (1904 workbooks are not supported). Two-digit years take
the century that keeps them out of the future, and that is recorded. Times are Vietnam time (+07:00, no daylight saving)
and stored in UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

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
    is_pending,
    nulls,
    pending,
    without,
)

VIETNAM = timezone(timedelta(hours=7))
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
SERIAL_RANGE = (20_000, 60_000)
YEARS_AHEAD = 10
"""How far ahead of receipt a two-digit year may lie where the column allows the future."""

_TIME = r"(?P<H>[0-9]{1,2})(?::|h| giờ )(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?P<F>\.[0-9]{1,9})?)?(?: phút)?"
_ZONE = r"\s?(?P<Z>Z|[+-][0-9]{2}:?[0-9]{2})?"
_YMD = r"(?P<y>[0-9]{4}) ?[-/.] ?(?P<m>[0-9]{1,2}) ?[-/.] ?(?P<d>[0-9]{1,2})"
_DMY = r"(?:ng[àa]y:? )?(?P<d>[0-9]{1,2}) ?[-/.] ?(?P<m>[0-9]{1,2}) ?[-/.] ?(?P<y>[0-9]{4}|[0-9]{2})"
_WORDS = r"(?:ng[àa]y )?(?P<d>[0-9]{1,2}) th[áa]ng (?P<m>[0-9]{1,2}),? n[ăa]m (?P<y>[0-9]{4})"
_DAYS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_YMD}(?:[T ]{_TIME}{_ZONE})?",
        rf"{_DMY}(?:,? {_TIME})?",
        rf"{_TIME},? {_DMY}",
        rf"{_WORDS}(?:,? {_TIME})?",
    )
]
_MONTHS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:th[áa]ng )?(?P<m>[0-9]{1,2}) ?[-/.] ?(?P<y>[0-9]{4})",
        r"th[áa]ng (?P<m>[0-9]{1,2}),? n[ăa]m (?P<y>[0-9]{4})",
        r"(?P<y>[0-9]{4})[-/](?P<m>[0-9]{1,2})",
    )
]
_YEAR = re.compile(r"(?:n[ăa]m )?(?P<y>[0-9]{4})", re.IGNORECASE)
_PRECISIONS = {"year": 0, "month": 1, "day": 2, "minute": 3}


class Moment(NamedTuple):
    """What a text says about a time: an issue, or a moment with its precision ('year' to 'minute')."""

    moment: datetime | None = None
    precision: str = "day"
    repair: str | None = None
    issue: str | None = None


_BAD = Moment(issue="BAD_DATE")


def read_moment(text: str, kind: int, received: date, future_allowed: bool) -> Moment:
    """Read a cleaned text as a date or time; aware if it names its zone, else naive and local."""
    if kind == Kind.NUMBER:
        return _from_number(text)
    if kind not in (Kind.TEXT, Kind.DATE):
        return _BAD
    for pattern in _DAYS:
        if found := pattern.fullmatch(text):
            return _from_parts({k: v for k, v in found.groupdict().items() if v}, received, future_allowed)
    for pattern in (*_MONTHS, _YEAR):
        if found := pattern.fullmatch(text):
            return _from_parts(found.groupdict(), received, future_allowed)
    return _BAD


def parts_of(text: str) -> tuple[int, int, int] | None:
    """Day, month and year of a text that is written like a date, whether there is such a day or not; else None.

    A year of two digits is one of this century."""
    for pattern in _DAYS:
        if found := pattern.fullmatch(text):
            year = int(found["y"])
            return int(found["d"]), int(found["m"]), year + 2000 if len(found["y"]) == 2 else year
    return None


def _from_number(text: str) -> Moment:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _BAD
    if SERIAL_RANGE[0] <= number <= SERIAL_RANGE[1]:
        days = int(number)
        seconds = round((number - days) * 86_400)
        moment = datetime(1899, 12, 30) + timedelta(days=days, seconds=seconds)
        return Moment(moment, "minute" if seconds else "day", "SERIAL")
    if re.fullmatch(r"(19|20)[0-9]{2}", text):
        return Moment(datetime(int(text), 1, 1), "year")
    return _BAD


def _from_parts(parts: dict[str, str], received: date, future_allowed: bool) -> Moment:
    year, month, day = int(parts["y"]), int(parts.get("m", 0)), int(parts.get("d", 0))
    repair = None
    precision = "minute" if "H" in parts else "day" if day else "month" if month else "year"
    if (day and not month) or (precision == "minute" and not day):
        return _BAD
    try:
        if len(parts["y"]) == 2:
            repair = "TWO_DIGIT_YEAR"
            year += 2000
            latest = received.replace(year=received.year + YEARS_AHEAD, day=1) if future_allowed else received
            if date(year, month or 1, day or 1) > latest:
                year -= 100
        moment = datetime(
            year,
            month or 1,
            day or 1,
            int(parts.get("H", 0)),
            int(parts.get("M", 0)),
            int(parts.get("S", 0)),
            int(Decimal(parts.get("F", "0")) * 1_000_000),
        )
        if zone := parts.get("Z"):
            moment = moment.replace(tzinfo=UTC if zone in "zZ" else datetime.strptime(zone, "%z").tzinfo)
            moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return _BAD
    return Moment(moment, precision, repair)


def _refusal(column: Column, text: str, kind: int, read: Moment, least: str) -> Cell | None:
    if read.issue:
        return pending(column) if kind == Kind.TEXT and is_pending(text) else Cell(issue=read.issue)
    if _PRECISIONS[read.precision] < _PRECISIONS[column.options.get("minPrecision", least)]:
        return Cell(issue="DATE_NOT_PRECISE")
    return None


def _date_cell(column: Column) -> ReadCell:
    future = not column.options.get("notFuture")

    def answer(text: str, kind: int, received: date) -> Cell:
        read = read_moment(text, kind, received, future)
        if refusal := _refusal(column, text, kind, read, "day"):
            return refusal
        assert read.moment is not None
        moment = read.moment.astimezone(VIETNAM) if read.moment.tzinfo else read.moment
        less = {"year": "YEAR_ONLY", "month": "MONTH_ONLY"}.get(read.precision)
        dropped = "TIME_DROPPED" if moment.time() != datetime.min.time() else None
        day = moment.date()
        if less and column.options.get("inclusiveEnd"):
            day = _last_day(day, read.precision)
        return Cell(day, None, read.repair or less or dropped)

    return answer


def _last_day(first: date, precision: str) -> date:
    month = 12 if precision == "year" else first.month
    return first.replace(month=month, day=monthrange(first.year, month)[1])


def _datetime_cell(column: Column) -> ReadCell:
    future = not column.options.get("notFuture")

    def answer(text: str, kind: int, received: date) -> Cell:
        read = read_moment(text, kind, received, future)
        if refusal := _refusal(column, text, kind, read, "day"):
            return refusal
        assert read.moment is not None
        moment = read.moment if read.moment.tzinfo else read.moment.replace(tzinfo=VIETNAM)
        try:
            utc = moment.astimezone(UTC)
        except OverflowError:
            return Cell(issue="BAD_DATE")
        return Cell(utc, None, read.repair or (None if read.precision == "minute" else "MIDNIGHT"))

    return answer


def _sample(raw: pl.Series, usable: pl.Series) -> str:
    first = usable.arg_max()
    return str(raw[first]) if first is not None else ""


def _quick_date(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    """'2026-06-30' and '30/06/2026': each of ten characters, so that neither can be taken for the other."""
    ten = (raw.str.len_bytes() == 10).fill_null(False)
    if not ten.any():
        return nulls(raw.len(), pl.Date)
    formats = ["%d/%m/%Y", "%Y-%m-%d"]
    if _sample(raw, ten)[4:5] == "-":
        formats.reverse()
    # no cache: parsing anew is faster than looking each text up
    value = raw.str.to_date(formats[0], strict=False, cache=False)
    if not ten.all():
        value = without(value, ~ten)
    left = value.is_null() & ten
    if left.any():
        value = value.scatter(left.arg_true(), raw.filter(left).str.to_date(formats[1], strict=False, cache=False))
    return value


def _bulk_date(column: Column, text: pl.Series, kind: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """'1/2/1985' and '01.02.1985'."""
    fits = text.str.contains(r"^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}$").fill_null(False)
    plain = text.str.replace_many(["-", "."], ["/", "/"])
    return without(plain.str.to_date("%d/%m/%Y", strict=False, cache=False), ~fits), None


_FORMATS = {
    "0000-00-00T00:00:00": "%Y-%m-%dT%H:%M:%S",
    "0000-00-00 00:00:00": "%Y-%m-%d %H:%M:%S",
    "00/00/0000 00:00:00": "%d/%m/%Y %H:%M:%S",
    "00/00/0000 00:00": "%d/%m/%Y %H:%M",
    "0000-00-00T00:00:00+07:00": "%Y-%m-%dT%H:%M:%S+07:00",
    "0000-00-00T00:00:00Z": "%Y-%m-%dT%H:%M:%SZ",
    "0000-00-00T00:00:00.000": "%Y-%m-%dT%H:%M:%S%.f",
    "0000-00-00T00:00:00.000Z": "%Y-%m-%dT%H:%M:%S%.fZ",
    "0000-00-00T00:00:00.000000": "%Y-%m-%dT%H:%M:%S%.f",
}
"""Shapes that are read in bulk; each has its own length or separators, so that at most one fits. Vietnam's zone as a
literal: reading any offset is ten times slower."""


def _parse_times(raw: pl.Series, shape: str) -> pl.Series:
    fits = (raw.str.len_bytes() == len(shape)).fill_null(False)
    micros = raw.str.to_datetime(_FORMATS[shape], time_unit="us", strict=False, cache=False).cast(pl.Int64)
    if not shape.endswith("Z"):
        micros = micros - 7 * 3_600_000_000
    if not fits.all():
        micros = without(micros, ~fits)
    return micros.cast(pl.Datetime("us", "UTC"))


def _quick_datetime(column: Column, raw: pl.Series, kind: pl.Series) -> pl.Series:
    sample = _sample(raw, (raw.str.len_bytes() > 10).fill_null(False))
    zone = "+07:00" if sample.endswith("+07:00") else ""
    shape = re.sub("[0-9]", "0", sample.removesuffix(zone)) + zone
    return _parse_times(raw, shape) if shape in _FORMATS else nulls(raw.len(), pl.Datetime("us", "UTC"))


def _bulk_datetime(column: Column, text: pl.Series, kind: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    value = nulls(text.len(), pl.Datetime("us", "UTC"))
    for shape in _FORMATS:
        left = value.is_null()
        if not left.any():
            break
        value = value.scatter(left.arg_true(), _parse_times(text.filter(left), shape))
    return value, None


def _check_datetime(column: Column, value: pl.Series, context: Context) -> Checks:
    days = (value.cast(pl.Int64) + 7 * 3_600_000_000).cast(pl.Datetime("us")).dt.date()
    return _check_days(column, days, context)


def _check_days(column: Column, days: pl.Series, context: Context) -> Checks:
    """Future first: an impossible future date is better told as such than as out of range."""
    checks: Checks = []
    numbers = days.cast(pl.Int32)  # polars reads the year 0, which Python has no date for
    first: Any = numbers.min()
    last: Any = numbers.max()
    if first is None:
        return checks
    lowest = _day_number(column.options.get("minimum", FIRST_DAY))
    highest = _day_number(column.options.get("maximum", LAST_DAY))
    future = None
    if column.options.get("notFuture"):
        future = (days > context.received).fill_null(False)
        checks.append((future, "FUTURE_DATE"))
    if first < lowest or last > highest:
        outside = (numbers < lowest) | (numbers > highest)
        checks.append((outside if future is None else outside & ~future, "OUT_OF_RANGE"))
    return checks


def _day_number(limit: Any) -> int:
    """Days since 1970 of a limit: YAML gives a date, or text where the contract quotes it."""
    day = limit if isinstance(limit, date) else date.fromisoformat(str(limit))
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _end_is_exclusive(column: Column, cleaned: Cleaned, raw: pl.Series, context: Context) -> Cleaned:
    """Intervals are half-open in the warehouse: the last day that counts becomes the first that does not."""
    if column.options.get("inclusiveEnd"):
        cleaned.value = cleaned.value + timedelta(days=1)
    return cleaned


_OPTIONS = {
    **COMMON_OPTIONS,
    "notFuture": "true: nothing after the day of receipt (FUTURE_DATE)",
    "minimum": "first day allowed (default 1900-01-01)",
    "maximum": "last day allowed (default 2199-12-31)",
    "allowPending": "true: 'đang cập nhật' is a blank, not an issue",
}

DATE = SemanticType(
    name="date",
    doc="A day, written day first or in ISO form; a month or year only where the contract allows it.",
    logical_types=("date",),
    options={
        **_OPTIONS,
        "minPrecision": "'day' (default), 'month' or 'year': the first day of it is stored",
        "inclusiveEnd": "true: the last day of an interval; the day after it is stored",
    },
    dtype=lambda column: pl.Date(),
    sql=lambda column: "date",
    cell=_date_cell,
    quick=_quick_date,
    bulk=_bulk_date,
    check=_check_days,
    finish=_end_is_exclusive,
    quick_kinds=Kind.DATE,
)
DATETIME = SemanticType(
    name="datetime",
    doc="A moment in Vietnam time, stored in UTC; a day without a time is midnight, and noted.",
    logical_types=("timestamp",),
    options={**_OPTIONS, "minPrecision": "'day' (default) or 'minute'"},
    dtype=lambda column: pl.Datetime("us", "UTC"),
    sql=lambda column: "timestamptz",
    cell=_datetime_cell,
    quick=_quick_datetime,
    bulk=_bulk_datetime,
    check=_check_datetime,
    quick_kinds=Kind.DATE,
)
