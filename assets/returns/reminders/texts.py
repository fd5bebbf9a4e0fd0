"""What a letter says, in Vietnamese: as plain text and as simple HTML. The words are in the catalogue (``schemas.messages``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from schemas.contract import Contract
from schemas.messages import text
from schemas.vietnam import written_day

from .plan import Letter, Reminder
from .policy import Policy


def subject(letter: Letter) -> str:
    """The title: how much is late, else how much will be due."""
    late = sum(r.late for r in letter.reminders)
    return text("letter_title", "late", n=late) if late else text("letter_title", "before", n=len(letter.reminders))


def paragraphs(
    letter: Letter, contracts: Mapping[str, Contract], policy: Policy, help_by: str
) -> list[str | list[str]]:
    """The letter: paragraphs, and lists of lines."""
    late = [_line(r, contracts) for r in letter.reminders if r.late]
    due = [_line(r, contracts) for r in letter.reminders if not r.late]
    found: list[str | list[str]] = [text("letter", "greeting", name=letter.name)]
    for key, lines in (("late_list", late), ("due_list", due)):
        if lines:
            found += [text("letter", key), lines]
    found.append(text("letter", "how", place=f"inbox/{{kỳ}}/{letter.responsible}/"))
    for year, (number, level) in letter.numbers(policy).items():
        if number:
            said = [text("letter", "count", year=year, number=number)]
            keys = ("next_level", "level1", "level2")
            said.append(text("letter", keys[level], limit=policy.levels[max(0, level - 1)]))
            found.append(" ".join(said))
    found.append(text("letter", "closing", help=help_by))
    return found


def _line(reminder: Reminder, contracts: Mapping[str, Contract]) -> str:
    contract = contracts.get(reminder.dataset)
    key = (
        "refused"
        if reminder.state == "REJECTED"
        else "late"
        if reminder.late
        else "today"
        if not reminder.days_left
        else "before"
    )
    said = text(
        "letter", key, title=contract.title if contract else reminder.dataset, period=reminder.period,
        due=written_day(reminder.due_on), days=reminder.days_past if reminder.late else reminder.days_left,
    )  # fmt: skip
    if reminder.sender != reminder.responsible:
        said += " " + text("letter", "instead", name=reminder.sender_name or reminder.sender)
    return said


def plain(parts: Sequence[str | list[str]]) -> str:
    """As plain text."""
    return "\n\n".join(p if isinstance(p, str) else "\n".join(f"- {line}" for line in p) for p in parts) + "\n"


def html(parts: Sequence[str | list[str]]) -> str:
    """As HTML; whatever a name holds is text."""
    body = "".join(
        f"<p>{escape(p)}</p>" if isinstance(p, str) else "<ul>" + "".join(f"<li>{escape(x)}</li>" for x in p) + "</ul>"
        for p in parts
    )
    return f'<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"></head><body>{body}</body></html>'
