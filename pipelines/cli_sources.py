"""``lienthong sources``: the layout of what is declared, tried and pulled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.intake.sources.pull import Pulled
from assets.intake.sources.trial import Tried
from schemas.sources import Source

from .cli_output import Screen, plural
from .report import Unclear


def chosen(sources: Mapping[str, Source], names: Sequence[str]) -> list[str]:
    """The sources that are meant: by id, by sender, or all; raises :class:`Unclear`."""
    found = []
    for name in names or list(sources):
        mine = [i for i in sources if i == name or i.partition("/")[0] == name]
        if not mine:
            raise Unclear(f"there is no source {name}; there are: {', '.join(sources) or 'none'}")
        found += mine
    return list(dict.fromkeys(found))


def standing(connection: psycopg.Connection, sources: Mapping[str, Source]) -> list[dict[str, Any]]:
    """The declared sources with what became of the last pull and when something was last taken."""
    with connection.cursor(row_factory=dict_row) as cursor:
        last = {
            r["source"]: r
            for r in cursor.execute(
                "select distinct on (source) source, started_at, ended_at, outcome, fault, rows from "
                "ops.source_pull order by source, pull_id desc"
            )
        }
        taken: dict[str, Any] = dict(connection.execute("select source, taken_at from ops.source_state").fetchall())
    return [
        {"source": name, "kind": s.spec.kind, "dataset": s.spec.dataset, "schedule": s.spec.schedule, "taken_at": taken.get(name),
         **{k: last.get(name, {}).get(k) for k in ("started_at", "outcome", "fault", "rows")}}
        for name, s in sources.items()
    ]  # fmt: skip


def show_sources(screen: Screen, rows: Sequence[Mapping[str, Any]], folder: str) -> None:
    """What is declared, and how it stands."""
    if not rows:
        screen.say(f"No source is declared; docs/sources.md says how, the folder is {folder}.")
        return
    screen.table(
        ["!source", "!kind", "!dataset", "schedule", "!last pull", "!outcome", ">rows", "!taken"],
        [
            [
                *(r[k] for k in ("source", "kind", "dataset", "schedule", "started_at")),
                r["fault"] or r["outcome"],
                r["rows"],
                r["taken_at"],
            ]
            for r in rows
        ],
    )


def show_tried(screen: Screen, tried: Tried) -> None:
    """What is wrong with a source."""
    state = "can be used" if not tried.faults else "cannot be used"
    unit = "file" if tried.kind == "inbox" else "row"
    screen.say(f"{tried.source} ({tried.kind}) {state}; {plural(tried.rows, unit)} seen.", style="bold")
    for fault, remedy in tried.faults:
        screen.say(f"  {fault}: {remedy}")
    for remark in tried.remarks:
        screen.say(f"  {remark}")


def show_pulled(screen: Screen, done: Pulled) -> None:
    """What a pull came to."""
    said = {
        "delivered": f"{done.rows} taken" + (f", delivery {done.delivery_id}" if done.delivery_id else ""),
        "unchanged": "as it was taken last", "empty": "nothing new", "busy": "somebody else is pulling it",
        "failed": f"{done.fault}: {done.remedy}",
    }  # fmt: skip
    screen.say(f"{done.source}: {said[done.outcome]}.")
