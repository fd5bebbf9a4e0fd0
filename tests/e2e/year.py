"""A simulated year of a whole province: 79 senders, all datasets with a due day, what each sent when, known by construction.

Here: drawing the year, writing its deliveries and submissions into a ledger, and saying by plain loops what is expected at a
moment. The ledger's rows are written directly (a year has some 1,700 submissions); that a real run leaves such rows is shown by a
test beside this module. Nothing of the code under test is asked: due days, holidays and states are computed again from the words
of the contracts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import psycopg

from assets.reference.units import load_reference

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
YEAR = 2026

# public holidays of 2026 and of the first half of 2027, as announced or by the lunar calendar
OFF = {
    date(y, int(d[:2]), int(d[3:]))
    for y, days in {
        2026: "01-01 02-16 02-17 02-18 02-19 02-20 04-26 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
        2027: "01-01 02-04 02-05 02-06 02-07 02-08 02-09 02-10 04-16 04-30 05-01 05-03",
    }.items()
    for d in days.split()
}
WORKED = {date(2026, 8, 22)}
"""The Saturday that is worked in exchange for 31 August."""

MERGED, INTO, MERGED_ON = "SNGV", "VP_UBND", date(2026, 5, 11)
"""A department that ended in the middle of a month, and who answers for it."""
NEW, NEW_FROM = "SDL", date(2026, 4, 8)
DEPARTMENTS = (
    *("SNV", "STP", "STC", "SCT", "SNNMT", "SXD", "KHCN", "SGDDT", "SYT", "VP_UBND", "BTC", "CTK"),
    *(MERGED, NEW),
)
"""14 of them; with the 65 communes 79 senders."""


@dataclass(frozen=True)
class Duty:
    """A dataset: its periods, who must send it, the day of the month, and whether a day off moves it."""

    dataset: str
    months: int
    who: str
    day: int
    later: int = 0
    reporting: bool = False
    fixed: bool = False


DUTIES = (
    Duty("villages", 3, "communes", 5),
    Duty("organizations", 1, "SNV BTC", 5),
    Duty("assignments", 1, "BTC SNV communes", 5),
    Duty("kpi_evaluations", 1, "communes departments", 24, fixed=True),
    Duty("service_statistics", 1, "VP_UBND", 20, reporting=True),
    Duty("digital_transformation", 3, "communes", 20, reporting=True),
    Duty("annual_quotas", 12, "SNV BTC", 31),
    Duty("specialist_needs", 12, "communes", 31),
    Duty("public_service_units", 12, "STC", 30, later=6),
)


@dataclass(frozen=True)
class Line:
    """What is expected of a sender for a period."""

    sender: str
    dataset: str
    period: str
    first: date
    last: date
    opens: date
    due: date


@dataclass
class Sent:
    """A submission of the year: when it came, and what became of it."""

    line: Line
    at: datetime
    state: str


def works(day: date) -> bool:
    """Whether a day is worked."""
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


@cache
def working_days(after: date, last: date) -> int:
    """How many working days come after one day, up to another."""
    return sum(works(after + timedelta(n)) for n in range(1, (last - after).days + 1))


def following(day: date, n: int) -> date:
    """The n-th working day after a day, or before it."""
    step = timedelta(1 if n > 0 else -1)
    for _ in range(abs(n)):
        day += step
        while not works(day):
            day += step
    return day


def _month(year: int, month: int, day: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    after = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(day - 1), after - timedelta(1))


def _periods(duty: Duty, year: int) -> Iterator[tuple[str, date, date, date]]:
    for part in range(1, 12 // duty.months + 1):
        end = part * duty.months
        label = {1: f"{year}-{part:02}", 3: f"{year}-Q{part}", 12: f"{year}"}[duty.months]
        if duty.reporting:
            first, last = _month(year, end - duty.months, 15), _month(year, end, 14)
            due = _month(year, end, duty.day)
        else:
            first, last = _month(year, end - duty.months + 1, 1), _month(year, end, 31)
            due = _month(year, end + (duty.later or 1), duty.day)
        while not duty.fixed and not works(due):
            due += timedelta(1)
        yield label, first, last, due


def _who(duty: Duty, communes: list[str]) -> list[str]:
    groups = {"communes": communes, "departments": list(DEPARTMENTS)}
    return [code for name in duty.who.split() for code in groups.get(name, [name])]


def lines(communes: list[str], since: date) -> list[Line]:
    """Everything that is expected of anybody from the periods that end on a day or later, two years long."""
    found = []
    for duty in DUTIES:
        for label, first, last, due in (p for y in (YEAR - 1, YEAR, YEAR + 1) for p in _periods(duty, y)):
            for sender in _who(duty, communes):
                lived = (sender != MERGED or last < MERGED_ON) and (sender != NEW or last >= NEW_FROM)
                if last >= since and lived:
                    found.append(Line(sender, duty.dataset, label, first, last, last + timedelta(1), due))
        if duty.dataset == "public_service_units":
            for year in (YEAR, YEAR + 1, YEAR + 2):
                last = date(year - 1, 12, 31)
                due = last
                while not works(due):
                    due -= timedelta(1)
                if last >= since:
                    found.append(
                        Line(
                            "STC",
                            duty.dataset,
                            f"{year}/KE_HOACH",
                            date(year - 1, 12, 1),
                            last,
                            date(year - 1, 12, 1),
                            due,
                        )
                    )
    return found


def drawn(expected: list[Line], seed: int) -> list[Sent]:
    """What was sent: most in time, some late by days or weeks, some refused or held at first, some withdrawn, some never."""
    luck, sent = random.Random(seed), []
    bad = {line.sender for line in expected if luck.random() < 0.002}  # some are worse than others
    for line in expected:
        if line.first > date(YEAR, 12, 31) or line.period.endswith("/KE_HOACH"):
            continue
        fate = luck.choices(
            (
                "early",
                "last minute",
                "late",
                "very late",
                "refused",
                "held",
                "mended",
                "withdrawn",
                "partly",
                "twice",
                "never",
            ),
            (50, 8, 8, 3, 3, 3, 4, 2, 4, 3, 30 if line.sender in bad else 3),
        )[0]

        def at(days: int, hour: int | None = None, line: Line = line) -> datetime:
            when = datetime.combine(
                line.due + timedelta(days), time(luck.randrange(24) if hour is None else hour, 30), VIETNAM
            )
            return max(when, datetime.combine(line.opens, time(8), VIETNAM))

        before, after = -luck.randint(0, 6), luck.randint(1, 9)
        match fate:
            case "early":
                told = [(before, "accepted")]
            case "last minute":
                sent.append(Sent(line, datetime.combine(line.due, time(23, 59, 59), VIETNAM), "accepted"))
                continue
            case "late":
                told = [(after, "accepted")]
            case "very late":
                told = [(luck.randint(10, 90), "accepted")]
            case "refused":
                told = [(before, "rejected")]
            case "held":
                told = [(before, "held")]
            case "mended":
                told = [(before, "rejected"), (after, "partly")]
            case "withdrawn":
                told = [(before, "withdrawn")]
            case "partly":
                told = [(before, "partly")]
            case "twice":
                told = [(before, "superseded"), (after, "accepted")]
            case _:
                continue
        sent += [Sent(line, at(days), state) for days, state in told]
    return sent


def write(connection: psycopg.Connection, sent: list[Sent]) -> None:
    """Write the year into the ledger."""
    rows = [
        (f"D{n:015}", f"S{n:011}", s.line.dataset, s.line.sender, s.line.period, s.line.first, s.line.last, s.at,
         f"{n:064}", s.state)
        for n, s in enumerate(sent)
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, state) "
            "values (%s, %s, 1, %s, %s, 'a.xlsx', %s, %s, 'read')",
            [(r[0], r[8], r[3], r[4], f"{r[4]}/{r[3]}/{r[0]}.xlsx", r[7]) for r in rows],
        )
        cursor.executemany(
            "insert into intake.submission (submission_id, delivery_id, dataset, sender, period, period_first, period_last, "
            "received_at, sha256, content, file_name, state) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'a.xlsx', %s)",
            [(r[1], r[0], *r[2:9], r[8], r[9]) for r in rows],
        )


def known(expected: list[Line], sent: list[Sent], now: datetime) -> dict[tuple[str, str, str], tuple[object, ...]]:
    """(sender, dataset, period) -> (due day, state, late, working days late, responsible) at a moment, by plain loops."""
    today = now.astimezone(VIETNAM).date()
    by_line: dict[Line, list[Sent]] = {}
    for s in sent:
        if s.at <= now and s.state != "withdrawn":
            by_line.setdefault(s.line, []).append(s)
    found: dict[tuple[str, str, str], tuple[object, ...]] = {}
    for line in expected:
        # what has not begun is nobody's matter yet
        if line.first > today:
            continue
        mine = by_line.get(line, [])
        states = {s.state for s in mine}
        too_late = datetime.combine(line.due + timedelta(1), time(), VIETNAM)
        first = min((s.at for s in mine), default=None)
        if states & {"accepted"}:
            state = "ACCEPTED"
        elif "partly" in states:
            state = "PARTLY"
        elif "superseded" in states:
            state = "ACCEPTED"
        elif states:
            state = "HELD" if "held" in states else "REJECTED"
        elif now >= too_late:
            state = "OVERDUE"
        else:
            state = "OPEN" if today >= line.opens else "UPCOMING"
        until = first or now
        late = until >= too_late
        days = working_days(line.due, until.astimezone(VIETNAM).date()) if late else 0
        by = INTO if line.sender == MERGED and today >= MERGED_ON else line.sender
        found[line.sender, line.dataset, line.period] = (line.due, state, late, days, by)
    return found


def moments() -> list[datetime]:
    """Moments of the year at which to look: around each day on which something is due, and around Tết and the end of the year."""
    days = {_month(YEAR, m, d) for m in range(1, 13) for d in (6, 21, 25)} | {
        date(YEAR, 2, 15), date(YEAR, 2, 23), MERGED_ON, NEW_FROM, date(YEAR, 12, 31), date(YEAR + 1, 2, 1), date(YEAR + 1, 6, 30)
    }  # fmt: skip
    return [
        datetime.combine(day, time(0 if n % 2 else 17), VIETNAM).astimezone(UTC) for n, day in enumerate(sorted(days))
    ]


def reference_folder(folder: Path) -> Path:
    """Reference lists of the year's province: the 65 communes as they are, and 14 departments of which one ends and one begins."""
    folder.mkdir(parents=True)
    units = load_reference(None, "56").senders.filter(pl.col("kind") == "commune")
    units.select("code", "name").write_csv(folder / "communes.csv")
    began, ended = {NEW: NEW_FROM}, {MERGED: (MERGED_ON, INTO)}
    rows = [(c, c, "department", began.get(c), *ended.get(c, (None, None))) for c in DEPARTMENTS]
    columns = ["code", "name", "kind", "valid_from", "valid_to", "successor"]
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(folder / "agencies.csv")
    return folder
