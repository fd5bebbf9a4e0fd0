"""``lienthong close``, ``reopen`` and ``closes``: the layout. The work: :mod:`assets.core.closing`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.vietnam import VIETNAM

from .cli_output import Screen, more, plural

_ROWS = 60


def show_plan(screen: Screen, rows: Sequence[Mapping[str, Any]], call: str) -> None:
    """What is over and open, and what is missing in it."""
    if not rows:
        screen.say("No period is over and open.")
        return
    screen.table(
        ["!dataset", "!period", "!due", "!closed by itself after", ">expected", ">missing", ">held", ">not published", "missing"],
        [
            [
                r["dataset"], r["period"], r["due_on"], "opened again" if r["reopened"] else r["closes_on"] or "never",
                r["expected"], r["missing"], r["held"] or "", r["waiting"] or "",
                " ".join(r["missing_first"]) + (" …" if r["missing"] > len(r["missing_first"]) else ""),
            ]
            for r in rows[:_ROWS]
        ],
    )  # fmt: skip
    more(screen, len(rows), _ROWS)
    screen.commands([(f"{call} close DATASET PERIOD --reason '…'", "what comes later for it is held")])


def show_closes(screen: Screen, rows: Sequence[Mapping[str, Any]], call: str) -> None:
    """What was closed, and what has come since."""
    if not rows:
        screen.say("Nothing was closed.")
        return
    screen.table(
        ["!dataset", "!period", "!state", "!since", "!publish", ">held", ">figures changed", "!by", "reason"],
        [
            [
                r["dataset"], r["period"], "closed" if r["closed_at"] else "opened again",
                f"{(r['closed_at'] or r['reopened_at']).astimezone(VIETNAM):%Y-%m-%d %H:%M}", r["publish"], r["held"] or "",
                r["figures_changed"] or "", r["decided_by"], r["reason"],
            ]
            for r in rows[:_ROWS]
        ],
    )  # fmt: skip
    more(screen, len(rows), _ROWS)
    if any(r["held"] for r in rows):
        screen.commands([
            (f"{call} decide SUBMISSION accept --reason '…'", "take in one that came later"),
            (f"{call} reopen DATASET PERIOD --reason '…'", "take in all of them"),
        ])  # fmt: skip
    if worst := sum(r["figures_changed"] for r in rows):
        screen.say(f"{plural(worst, 'figure')} of closed periods differ from what was shown when they were closed.")
