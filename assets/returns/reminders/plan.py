"""The plan of a day: who is reminded of what, at which step, and what of it counts.

The province's rule (domain brief, §3): three reminders in a year, and the responsibility of the head of the office is reviewed;
six, and discipline may be considered. What counts is the first reminder after the day that was sent, once for each period of a
dataset; repeating it does not count again, a reminder before the day never does. The year is that of the day that was missed.
Of a sender that was merged the reminders go to, and count for, who answers for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from schemas.vietnam import local_day

from .policy import Policy

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Reminder:
    """One period of one dataset, at one step: ``BEFORE_3``, ``DUE``, ``AFTER_1``. ``number``: how many count in the year of
    ``due_on`` up to this one, for who is responsible; ``days_left`` or ``days_past``: working days."""

    sender: str
    sender_name: str
    dataset: str
    period: str
    step: str
    due_on: date
    state: str
    responsible: str
    days_left: int | None
    days_past: int | None
    counted: bool
    number: int

    @property
    def late(self) -> bool:
        """Whether the day is past."""
        return self.days_past is not None


@dataclass(frozen=True)
class Letter:
    """All reminders of a day to who is responsible; those that are late first."""

    letter_id: str
    responsible: str
    name: str
    day: date
    reminders: tuple[Reminder, ...]

    def numbers(self, policy: Policy) -> dict[int, tuple[int, int]]:
        """Year in which something is late -> how many reminders count in it with this letter, and the level that this makes."""
        return {
            year: (max(r.number for r in of), policy.level(max(r.number for r in of)))
            for year, found in groupby(sorted(self.reminders, key=_year), _year)
            if (of := [r for r in found if r.late])
        }


def _year(reminder: Reminder) -> int:
    return reminder.due_on.year


def plan(connection: psycopg.Connection, now: datetime, policy: Policy) -> list[Letter]:
    """The letters of the moment, by what ``ops.due`` says, in order of who is responsible; none on a day that is not worked.

    Nothing is written. After an outage only the step that a period has reached by now is there, not those that were missed.
    """
    today = local_day(now)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            (_HERE / "plan.sql").read_text(encoding="utf-8"),
            {"today": today, "now": now, "before": list(policy.before), "every": policy.every, "until": policy.until},
        ).fetchall()
    return [_letter(responsible, today, list(of)) for responsible, of in groupby(rows, lambda r: str(r["responsible"]))]


def _letter(responsible: str, today: date, rows: Sequence[Mapping[str, Any]]) -> Letter:
    own = Reminder.__dataclass_fields__
    found = [Reminder(**{k: v for k, v in r.items() if k in own}) for r in rows]
    found.sort(key=lambda r: (not r.late, r.due_on, r.dataset, r.sender, r.period))
    said = "|".join([responsible, *sorted(f"{r.sender} {r.dataset} {r.period} {r.step}" for r in found)])
    name = hashlib.sha256(said.encode()).hexdigest()[:16]
    return Letter(name, responsible, rows[0]["responsible_name"] or responsible, today, tuple(found))
