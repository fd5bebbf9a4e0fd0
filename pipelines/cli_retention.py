"""``lienthong retention``: the layout of what may go, and of what has gone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assets.returns.expiry import Expired

from .cli_output import Screen, plural
from .retention import FEED_DAYS, Found


def retention_json(
    found: Found, gone: Expired, changes: int, days: int, months: int, *, removed: bool
) -> dict[str, Any]:
    """The counts; ``removed``: whether they have gone."""
    return {
        "days": days,
        "months": months,
        "removed": removed,
        **asdict(found),
        "feed_changes": changes,
        "raw": asdict(gone),
    }


def show_retention(
    screen: Screen, found: Found, gone: Expired, changes: int, days: int, months: int, call: str, *, removed: bool
) -> None:
    """One line a kind, and the next command."""
    what = (
        f"{plural(found.runs, 'run')} and {plural(found.ticks, 'tick')} of Dagster older than {days} days, "
        f"{plural(found.partials, 'unnamed file')} ({found.partial_bytes >> 10} KiB) that crashes left in the archive, "
        f"{plural(changes, 'change')} older than {FEED_DAYS} days in the feed"
    )
    screen.say(f"{'Removed' if removed else 'Would remove'}: {what}.")
    if found.runs_kept:
        screen.say(f"Kept: {plural(found.runs_kept, 'old run')} by which an asset was made last.")
    screen.say(
        f"{'Destroyed' if removed else 'Would destroy'}: the bytes of {gone.deliveries} deliveries received more than {months} "
        f"months ago ({plural(gone.objects, 'object')}, {gone.bytes >> 10} KiB), with their answers and returned workbooks."
    )
    if gone.kept:
        screen.say(f"Kept: {gone.kept} old ones that were not read yet, or wait for a decision.")
    if not removed and (found.runs or found.ticks or found.partials or gone.objects or changes):
        screen.commands(
            [(f"{call} retention run --days {days} --months {months}", "remove them; bytes do not come back")]
        )
