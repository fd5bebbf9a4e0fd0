"""Sending the letters of a day: each reminder once, whoever sends and whenever it dies.

A letter is written down as ``sending`` and committed before it is handed over; what became of it is written after. Who finds
one that is still ``sending`` a quarter of an hour later does not know whether it went: it goes again, under the same Message-
ID, and counts once. Where its matter has been settled meanwhile it is cancelled, and does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg.rows import class_row

from schemas.contract import Contract

from . import texts
from .channels import Channel, Message, NotSent
from .contacts import Contact
from .plan import Letter, plan
from .policy import Policy

_HERE = Path(__file__).parent
LOCK = "lienthong.reminders"


class Off(Exception):
    """Sending is switched off; the text says how to switch it on."""

    def __init__(self) -> None:
        super().__init__(
            "sending is off; look at `lienthong reminders plan`, then switch it on: lienthong reminders on --reason '…'"
        )


@dataclass
class Round:
    """What a round came to: ids of the letters by what became of them, and whether somebody else was sending."""

    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    cancelled: int = 0
    busy: bool = False


@dataclass(frozen=True)
class Standing:
    """How often a sender has been reminded in a year: reminders that count, and the level that this makes."""

    responsible: str
    name: str | None
    year: int
    number: int
    level: int


def switch(connection: psycopg.Connection, sending: bool, *, by: str, reason: str) -> None:
    """Switch sending on or off."""
    connection.execute(
        "insert into ops.reminder_switch (sending, who, reason) values (%s, %s, %s)", [sending, by, reason]
    )


def is_on(connection: psycopg.Connection) -> bool:
    """Whether reminders are sent."""
    row = connection.execute("select sending from ops.reminder_switch order by switch_id desc limit 1").fetchone()
    return row is not None and row[0]


def message_of(
    letter: Letter, contracts: Mapping[str, Contract], policy: Policy, help_by: str, now: datetime
) -> Message:
    """A letter as a message to nobody yet."""
    parts = texts.paragraphs(letter, contracts, policy, help_by)
    data = {
        "kind": "reminder", "sender": letter.responsible, "day": letter.day.isoformat(),
        "reminders": [
            {"dataset": r.dataset, "period": r.period, "sender": r.sender, "due_on": r.due_on.isoformat(), "step": r.step,
             "counted": r.counted, "number": r.number if r.late else None}
            for r in letter.reminders
        ],
    }  # fmt: skip
    return Message(letter.letter_id, (), texts.subject(letter), texts.plain(parts), texts.html(parts), now, data)


def send_letters(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    contacts: Mapping[str, Contact],
    channels: Sequence[Channel],
    now: datetime,
    policy: Policy,
    help_by: str,
) -> Round:
    """Send what the moment asks for; ``ops.due`` has been brought up to it. Raises :class:`Off`. ``connection``: in autocommit."""
    if not is_on(connection):
        raise Off
    done = Round()
    row = connection.execute("select pg_try_advisory_lock(hashtext(%s))", [LOCK]).fetchone()
    if row is None or not row[0]:
        done.busy = True
        return done
    try:
        letters = plan(connection, now, policy)
        for letter in letters:
            _begin(connection, letter, now, policy)
            message = message_of(letter, contracts, policy, help_by, now)
            state, ways, error = _handed_over(message, contacts.get(letter.responsible), channels)
            connection.execute(
                "update ops.letter set state = %s, channels = %s, error = %s, ended_at = %s where letter_id = %s",
                [state, ways, error, now, letter.letter_id],
            )
            {"sent": done.sent, "failed": done.failed, "refused": done.refused}[state].append(letter.letter_id)
        done.cancelled = connection.execute(
            "update ops.letter set state = 'cancelled', ended_at = %s where not (letter_id = any (%s)) "
            "and (state = 'failed' or (state = 'sending' and abs(extract(epoch from made_at - %s)) >= 900))",
            [now, [letter.letter_id for letter in letters], now],
        ).rowcount
    finally:
        connection.execute("select pg_advisory_unlock(hashtext(%s))", [LOCK])
    return done


def _begin(connection: psycopg.Connection, letter: Letter, now: datetime, policy: Policy) -> None:
    """Write down what is about to be sent."""
    columns = ("sender", "dataset", "period", "step", "due_on", "counted", "number", "level")
    rows = [
        (r.sender, r.dataset, r.period, r.step, r.due_on, r.counted, r.number if r.counted else None,
         policy.level(r.number) if r.counted else None)
        for r in letter.reminders
    ]  # fmt: skip
    with connection.transaction():
        connection.execute(
            "insert into ops.letter as l (letter_id, responsible, day, state, attempts, made_at) "
            "values (%s, %s, %s, 'sending', 1, %s) "
            "on conflict (letter_id) do update set state = 'sending', attempts = l.attempts + 1, made_at = excluded.made_at, "
            "day = excluded.day, error = null, ended_at = null",
            [letter.letter_id, letter.responsible, letter.day, now],
        )
        connection.execute(
            (_HERE / "begin.sql").read_text(encoding="utf-8"),
            {
                "letter_id": letter.letter_id,
                "responsible": letter.responsible,
                **{name: [row[n] for row in rows] for n, name in enumerate(columns)},
            },
        )


def _handed_over(
    message: Message, contact: Contact | None, channels: Sequence[Channel]
) -> tuple[str, list[str], str | None]:
    """(state, names of the channels it went by, kinds of what failed)."""
    if contact is None:
        return "failed", [], "NO_CONTACT"
    ways = {"mail": contact.emails, "webhook": (contact.webhook,) if contact.webhook else ()}
    usable = [c for c in channels if ways.get(c.name)]
    if not usable:
        return "failed", [], "NO_CHANNEL"
    went: list[str] = []
    faults: list[str] = []
    for_good = True
    for channel in usable:
        try:
            to = tuple(one for one in ways[channel.name] if one)
            faults += channel.send(Message(**{**vars(message), "to": to}))
            went.append(channel.name)
        except NotSent as error:
            faults.append(f"{channel.name}: {error.kind}")
            for_good = for_good and error.for_good
    return ("sent" if went else "refused" if for_good else "failed"), went, "; ".join(faults) or None


def standings(connection: psycopg.Connection, policy: Policy, year: int | None = None) -> list[Standing]:
    """How often each sender was reminded, by year; most often first."""
    with connection.cursor(row_factory=class_row(_Counted)) as cursor:
        rows = cursor.execute((_HERE / "standings.sql").read_text(encoding="utf-8"), {"year": year}).fetchall()
    return [Standing(r.responsible, r.name, r.year, r.number, policy.level(r.number)) for r in rows]


@dataclass(frozen=True)
class _Counted:
    responsible: str
    name: str | None
    year: int
    number: int
