"""``lienthong sources``: the layout of what is declared, tried and pulled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.intake.sources.pull import Pulled, unmarked_text
from assets.intake.sources.trial import Tried
from schemas.sources import Source

from .cli_output import Screen, plural
from .report import Unclear


def chosen(sources: Mapping[str, Source], names: Sequence[str], findings: Sequence[object] = ()) -> list[str]:
    """The sources that are meant: by id, by sender, or all; raises :class:`Unclear`. ``findings``: what is wrong with others."""
    found = []
    for name in names or list(sources):
        mine = [i for i in sources if i == name or i.partition("/")[0] == name]
        if not mine:
            raise Unclear(
                f"there is no source {name}; there are: {', '.join(sources) or 'none'}"
                + "".join(f"; {finding}" for finding in findings)
            )
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


def show_findings(screen: Screen, findings: Sequence[object]) -> None:
    """Declarations that are wrong; the sources of the other files are not touched by it."""
    for finding in findings:
        screen.say(f"{finding}", style="bold red")
    if findings:
        screen.say("None of the sources of these files is pulled; the others are.")


def detailed(connection: psycopg.Connection, source: Source) -> dict[str, Any]:
    """All about one source: its declaration (secrets stand in it as references), how far it was taken, and its last ten pulls."""
    with connection.cursor(row_factory=dict_row) as cursor:
        state = cursor.execute(
            "select watermark, cardinality(boundary) as boundary, period, delivery_id, taken_at from ops.source_state "
            "where source = %s",
            [source.id],
        ).fetchone()
        pulls = cursor.execute(
            "select started_at, ended_at, outcome, fault, rows, bytes, delivery_id, unmarked from ops.source_pull "
            "where source = %s order by pull_id desc limit 10",
            [source.id],
        ).fetchall()
    spec = source.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"name"})
    return {"source": source.id, "declared": spec, "state": state, "pulls": pulls}


def show_source(screen: Screen, found: Mapping[str, Any], source: Source) -> None:
    """All about one source."""
    screen.say(f"{found['source']} ({source.spec.kind})", style="bold")
    rows = [[key, value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)]
            for key, value in found["declared"].items()]  # fmt: skip
    screen.table(["!key", "declared"], rows)
    how, state = getattr(source.spec, "incremental", None), found["state"]
    if state is None:
        screen.say("Nothing was taken of it yet.")
    else:
        mark = state["watermark"]
        said = f"; {how.column} is taken up to {mark['value']}" if how is not None and mark is not None else ""
        screen.say(f"Last taken {state['taken_at']:%Y-%m-%d %H:%M}, delivery {state['delivery_id']}{said}.")
    counted = next((p["unmarked"] for p in found["pulls"] if p["unmarked"] is not None), 0)
    if counted and how is not None:
        screen.say(unmarked_text(counted, how.column), style="bold")
    if found["pulls"]:
        screen.table(
            ["!pulled", "!outcome", ">rows", ">bytes", "delivery"],
            [
                [p["started_at"], p["fault"] or p["outcome"], p["rows"], p["bytes"], p["delivery_id"]]
                for p in found["pulls"]
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


def show_pulled(screen: Screen, done: Pulled, source: Source) -> None:
    """What a pull came to."""
    said = {
        "delivered": f"{done.rows} taken" + (f", delivery {done.delivery_id}" if done.delivery_id else ""),
        "unchanged": "as it was taken last", "empty": "nothing new", "busy": done.remedy,
        "failed": f"{done.fault}: {done.remedy}",
    }  # fmt: skip
    screen.say(f"{done.source}: {said[done.outcome]}.")
    if done.unmarked:
        how = getattr(source.spec, "incremental", None)
        screen.say(f"  {unmarked_text(done.unmarked, how.column if how is not None else 'the watermark')}")
