"""``lienthong reminders`` and ``lienthong alerts``: the layout of plans, standings and alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from assets.returns.reminders.alerts import Alert
from assets.returns.reminders.contacts import Contact
from assets.returns.reminders.plan import Letter
from assets.returns.reminders.policy import Policy
from assets.returns.reminders.send import Round, Standing, message_of
from schemas.contract import Contract

from .cli_output import Screen, plural


def planned_json(
    letters: Sequence[Letter],
    contracts: Mapping[str, Contract],
    policy: Policy,
    help_by: str,
    now: datetime,
    to: Mapping[str, Contact],
) -> list[dict[str, Any]]:
    """The letters of a plan; whether there is a contact, never the address."""
    found = []
    for letter in letters:
        message = message_of(letter, contracts, policy, help_by, now)
        found.append(
            {"letter_id": letter.letter_id, "to": letter.responsible, "contact": letter.responsible in to,
             "subject": message.subject, "text": message.text,
             **{k: v for k, v in message.data.items() if k in ("day", "reminders")}}
        )  # fmt: skip
    return found


def show_plan(screen: Screen, letters: Sequence[Mapping[str, Any]], sending: bool) -> None:
    """Every text as it would go out."""
    for letter in letters:
        screen.say(
            f"{letter['to']}: {letter['subject']}" + ("" if letter["contact"] else "  (no contact)"), style="bold"
        )
        for line in str(letter["text"]).splitlines():
            screen.say(f"  {line}" if line else "")
    count = sum(r["counted"] for letter in letters for r in letter["reminders"])
    screen.say(
        f"{plural(len(letters), 'letter')}, {plural(count, 'reminder')} that would count. "
        f"Nothing was sent; sending is {'on' if sending else 'off'}."
    )


def show_round(screen: Screen, done: Round) -> None:
    """What a round came to."""
    if done.busy:
        screen.say("Somebody else is sending reminders; nothing was done.")
        return
    screen.say(
        f"{plural(len(done.sent), 'letter')} sent, {len(done.failed)} to be tried again, "
        f"{len(done.refused)} refused, {done.cancelled} cancelled."
    )


def show_standings(
    screen: Screen, rows: Sequence[Standing], letters: Sequence[Mapping[str, Any]], sending: bool
) -> None:
    """How often each sender was reminded, and what did not go out."""
    screen.say(f"Sending is {'on' if sending else 'off'}.")
    if rows:
        screen.table(
            ["!year", "!sender", "name", ">reminders", ">level"],
            [[r.year, r.responsible, r.name, r.number, r.level or ""] for r in rows],
        )
    else:
        screen.say("No reminder counts yet.")
    if letters:
        screen.table(
            ["!letter", "!sender", "!day", "!state", ">attempts", "why"],
            [[e["letter_id"], e["responsible"], e["day"], e["state"], e["attempts"], e["error"]] for e in letters],
            title="Letters that did not go out",
        )


def show_alerts(screen: Screen, rows: Sequence[Alert]) -> None:
    """The alerts that hold."""
    if not rows:
        screen.say("Nothing to tell.")
        return
    screen.table(["!since", "!kind", "text"], [[r.first_at, r.kind, r.line] for r in rows])
