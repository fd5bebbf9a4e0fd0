"""``lienthong access`` and ``audit``: what is printed of grants that ended and of readings of the vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.vietnam import VIETNAM

from .cli_output import Screen, plural


def show_enforced(screen: Screen, changes: Sequence[tuple[str, str, str]], *, done: bool) -> None:
    """Print what logins got and lost, or would."""
    for sign, login, what in changes:
        took, gave = ("loses", "gets") if done else ("would lose", "would get")
        screen.say(f"{login} {took if sign == '-' else gave} {what}")
    if not changes:
        screen.say("Every login has what its grants say.")


def show_readings(screen: Screen, found: Sequence[Mapping[str, Any]]) -> None:
    """Print who read the vault how often, where something of it is not in the log."""
    for one in found:
        missed = one["readings"] - one["logged"]
        if missed:
            screen.say(
                f"{one['login']}: {plural(one['readings'], 'reading')} of the vault, {missed} of them without a line: "
                "rolled back, or under way."
            )
            for gap in one["gaps"]:
                screen.say(f"  {gap['missed']} {_between(gap['after'], gap['before'])}")


def _between(after: str | None, before: str | None) -> str:
    said = [f"after {_local(after)}" if after else "", f"before {_local(before)}" if before else ""]
    return " and ".join(s for s in said if s) or "of all"


def _local(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone(VIETNAM):%Y-%m-%d %H:%M}"
