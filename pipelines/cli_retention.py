"""``lienthong retention``: the layout of what may go, and of what has gone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .cli_output import Screen, plural
from .retention import Found


def retention_json(found: Found, days: int, *, removed: bool) -> dict[str, Any]:
    """The counts; ``removed``: whether they have gone."""
    return {"days": days, "removed": removed, **asdict(found)}


def show_retention(screen: Screen, found: Found, days: int, call: str, *, removed: bool) -> None:
    """One line, and the next command."""
    what = (
        f"{plural(found.runs, 'run')} and {plural(found.ticks, 'tick')} of Dagster older than {days} days, "
        f"{plural(found.partials, 'unnamed file')} ({found.partial_bytes >> 10} KiB) that crashes left in the archive"
    )
    screen.say(f"{'Removed' if removed else 'Would remove'}: {what}.")
    if found.runs_kept:
        screen.say(f"Kept: {plural(found.runs_kept, 'old run')} by which an asset was made last.")
    if not removed and (found.runs or found.ticks or found.partials):
        screen.commands([(f"{call} retention run --days {days}", "remove them")])
