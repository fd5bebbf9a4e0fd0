"""``lienthong due``: what is expected from whom until when, and who is late; also as a calendar.

Here: the layout. What is expected: :mod:`assets.marts.due`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from assets.marts.due import STATES, UNSETTLED
from schemas.contract import Contract
from schemas.messages import text

from .cli_output import Screen, more, plural
from .report import Unclear

_ROWS = 60
_OCTETS = 73
"""A line of a calendar has 75 octets at most (RFC 5545, 3.1); one of a continued line is its blank."""


def states_of(names: Sequence[str]) -> list[str]:
    """The states that are meant; raises :class:`Unclear`. None: what is not settled."""
    wanted = [name.upper() for name in names]
    if "ALL" in wanted:
        return list(STATES)
    for name in wanted:
        if name not in STATES:
            raise Unclear(
                f"there is no state {name.lower()}; there are: {', '.join(s.lower() for s in STATES)}, or all"
            )
    return wanted or list(UNSETTLED)


def show_due(screen: Screen, rows: Sequence[Mapping[str, Any]], call: str) -> None:
    """Print what is expected, what is late first."""
    if not rows:
        screen.say("Nothing is due.")
        return
    late = sum(_late(r) for r in rows)
    count = Counter(r["state"] for r in rows)
    screen.say(
        f"{plural(len(rows), 'period')}: " + ", ".join(f"{count[s]} {s.lower()}" for s in STATES if count[s])
        + (f"; {late} late" if late else ""),
        style="bold",
    )  # fmt: skip
    shown = sorted(rows, key=lambda r: (not _late(r), r["due_on"], r["dataset"], r["sender"]))
    screen.table(
        ["!due", "!state", "!dataset", "!period", "!sender", "name", ">days late", "!received", "!submission", "note"],
        [
            [
                r["due_on"], r["state"].lower(), r["dataset"], r["period"], r["sender"], r["sender_name"],
                r["working_days_late"] or "", r["received_at"] and r["received_at"].date(), r["submission_id"],
                _note(r),
            ]
            for r in shown[:_ROWS]
        ],
    )  # fmt: skip
    more(screen, len(shown), _ROWS)
    screen.commands([(f"{call} due --sender CODE", "what one sender has still to do")])


def _late(row: Mapping[str, Any]) -> bool:
    return bool(row["late"]) and row["state"] in UNSETTLED


def _note(row: Mapping[str, Any]) -> str:
    if row["note"] == "MERGED":
        return f"merged into {row['responsible']}"
    return {"NEW": "new in this period", "ENDED": "has ended", None: ""}[row["note"]]


def calendar(rows: Iterable[Mapping[str, Any]], contracts: Mapping[str, Contract], made: datetime) -> str:
    """A calendar (iCalendar, RFC 5545) of the days on which something is due, in Vietnamese: an event for each row."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lien Thong//due//VI"]
    for r in rows:
        title = contracts[r["dataset"]].title if r["dataset"] in contracts else r["dataset"]
        summary = text("due", "event", title=title, period=r["period"])
        folder = f"inbox/{r['period'].partition('/')[0]}/{r['sender']}/"
        body = text("due", "event_body", sender=r["sender_name"] or r["sender"], place=folder)
        lines += [
            "BEGIN:VEVENT", f"UID:{r['sender']}-{r['dataset']}-{r['period'].replace('/', '-')}@lienthong",
            f"DTSTAMP:{made:%Y%m%dT%H%M%SZ}", f"DTSTART;VALUE=DATE:{_day(r['due_on'])}",
            f"DTEND;VALUE=DATE:{_day(r['due_on'] + timedelta(days=1))}", f"SUMMARY:{_escaped(summary)}",
            f"DESCRIPTION:{_escaped(body)}", "TRANSP:TRANSPARENT", "END:VEVENT",
        ]  # fmt: skip
    return "".join(map(_folded, [*lines, "END:VCALENDAR"]))


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _escaped(words: str) -> str:
    for sign in ("\\", ";", ","):
        words = words.replace(sign, "\\" + sign)
    return words.replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, none of which ends within a character."""
    pieces, piece = [], ""
    for sign in line:
        if len((piece + sign).encode()) > _OCTETS:
            pieces.append(piece)
            piece = ""
        piece += sign
    return "\r\n ".join([*pieces, piece]) + "\r\n"
