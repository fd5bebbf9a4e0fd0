"""The main job as the command runs it, and what is printed after it.

Here: the one place that says by what the job is run, and the account of a run. What the job does is in :mod:`.flow`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.codes import CODES

from .cli_output import Screen, plural
from .report import STATES, TROUBLED, counts

if TYPE_CHECKING:
    import psycopg

    from .flow import Pipeline, Ran
    from .preview import Preview

_ROWS = ("accepted", "quarantined", "set_aside")
_SECRETS = 15
"""Alerts on the screen."""


def main_job(pipeline: Pipeline, *, inbox: str | None = None, period: str | None = None, direct: bool = False) -> Ran:
    """Run the whole flow once, as a run of the Dagster job or (``direct``) as plain calls; the warehouse is one."""
    if direct:
        ran = pipeline.run(inbox=inbox, period=period)
        from .report import touched

        with pipeline.connection() as connection:
            names = [s["submission_id"] for s in touched(connection, [*ran.staged, *ran.rejected], ran.published)]
            pipeline.answer(connection, names)
            if ran.published is not None:
                from assets.returns.board.site import build_board

                build_board(connection, pipeline)
        return ran
    # a database or a contract that cannot be used is said before there is a run that could fail
    _ = pipeline.contracts, pipeline.url
    from .dagster_home import run_main

    run_main(pipeline.settings, inbox=inbox, period=period, opened=pipeline)
    return pipeline.ran


def account(connection: psycopg.Connection, ran: Ran) -> dict[str, Any]:
    """What a run did, as data.

    Keys: received (files), growing (files left for the next round), unreadable (folders of the inbox), secrets
    (:func:`pipelines.report.secrets`: files with
    a secret marking that lie in the inbox), publish (number, or None: nothing changed), states
    {state: submissions}, rows {accepted, quarantined, set_aside}, submissions [...] (those read, and those whose
    state the publish changed), changes {dataset: {opened, closed, entities}}, indicators {computed, opened, closed} (of values).
    """
    from .report import secrets, touched

    found = touched(connection, [*ran.staged, *ran.rejected], ran.published)
    return {
        "received": len(ran.received),
        "growing": ran.growing,
        "unreadable": ran.unreadable,
        "secrets": secrets(connection, ran.withheld) if ran.withheld else [],
        "publish": ran.published,
        "states": counts(found),
        "rows": {word: sum(s[f"rows_{word}"] for s in found) for word in _ROWS},
        "submissions": found,
        "changes": {
            m.dataset: {"opened": m.opened, "closed": m.closed, "entities": m.entities} for m in ran.merged if m.changed
        },
        "indicators": {
            "computed": len(ran.indicated.computed) if ran.indicated else 0,
            "opened": ran.indicated.opened if ran.indicated else 0,
            "closed": ran.indicated.closed if ran.indicated else 0,
        },
    }


def exit_code(states: Iterable[str]) -> int:
    """1 where something was rejected, held or quarantined."""
    return int(any(state in TROUBLED for state in states))


def show_account(screen: Screen, done: dict[str, Any]) -> None:
    """Print what a run did."""
    submissions = done["submissions"]
    show_secrets(screen, done["secrets"])
    if done["received"] or submissions:
        screen.say(f"Received {plural(done['received'], 'new file')}; read {plural(len(submissions), 'submission')}.")
        show_states(screen, submissions)
    if done["growing"]:
        screen.say(f"Left for the next round, still growing: {', '.join(done['growing'])}")
    if done["unreadable"]:
        folders = ", ".join(done["unreadable"])
        screen.say(f"Cannot be read, see their rights: {folders}; all other folders were taken.", style="bold red")
    if done["publish"] is None:
        screen.say("Nothing changed: the warehouse stays as it was published last.")
    else:
        said = [f"{d}: {c['opened']} versions begun, {c['closed']} ended" for d, c in done["changes"].items()]
        values = done["indicators"]
        if values["opened"] or values["closed"]:
            said.append(f"indicators: {values['opened']} values begun, {values['closed']} ended")
        screen.say(f"Published as number {done['publish']}. {'; '.join(said)}", style="bold")


def show_secrets(screen: Screen, found: Sequence[Mapping[str, Any]]) -> None:
    """The alert for files with a secret marking: from whom and when, never what."""
    if not found:
        return
    screen.say(f"ALERT: {plural(len(found), 'file')} with a secret marking refused and not kept", style="bold red")
    rows = [
        [one["submission_id"] or one["delivery_id"], f"{one['sender']} {one['sender_name'] or ''}".rstrip(), one["period"],
         f"{one['received_at']:%Y-%m-%d %H:%M}", one["size"], one["sha256"][:12], ", ".join(one["kept"])]
        for one in found[:_SECRETS]
    ]  # fmt: skip
    screen.table(["!Refused", "Sender", "!Period", "!Received", ">Bytes", "!SHA-256", "Same bytes kept as"], rows)
    if len(found) > _SECRETS:
        screen.say(f"  … and {len(found) - _SECRETS} more; --json has all")
    screen.say(
        "They lie where the senders put them until the senders remove them; tell the office for secret documents."
    )


def show_states(screen: Screen, submissions: Sequence[dict[str, Any]]) -> None:
    """A line per dataset: submissions by state, and rows."""
    by_dataset: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for s in submissions:
        by_dataset[s["dataset"] or "(not recognised)"].append(s)
    if not by_dataset:
        return
    rows = [
        [dataset, in_words(counts(of)), *(sum(s[f"rows_{word}"] for s in of) for word in _ROWS)]
        for dataset, of in sorted(by_dataset.items())
    ]
    screen.table(["!Dataset", "Submissions", *[f">rows {word.replace('_', ' ')}" for word in _ROWS]], rows)


def in_words(states: Mapping[str, int]) -> str:
    """Numbers of submissions by state, in the usual order."""
    return ", ".join(f"{states[state]} {state}" for state in STATES if states.get(state))


def next_steps(call: str, submissions: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Commands that show an example of each kind of trouble, and the whole."""
    steps = []
    for state, words in (("held", "held"), ("partly", "some rows quarantined"), ("rejected", "rejected")):
        one = next((s for s in submissions if s["state"] == state), None)
        if one is not None:
            steps.append((f"{call} show {one['submission_id']}", f"{words}{_because(one)}"))
    return [*steps, (f"{call} status", "the whole at a glance")]


def _because(submission: dict[str, Any]) -> str:
    errors = [p["code"] for p in submission["problems"] if CODES[p["code"]].severity == "error"]
    return f": {', '.join(dict.fromkeys(errors))}" if errors else ""


def plan(preview: Preview) -> dict[str, Any]:
    """What a dry run found, as data: states {state: submissions}, answers, growing, changes, difference."""
    return {
        "states": counts(preview.answers), "answers": preview.answers, "growing": preview.growing,
        "changes": preview.changes, "difference": preview.difference,
    }  # fmt: skip


def show_plan(screen: Screen, found: dict[str, Any]) -> None:
    """Print what a dry run found."""
    if not found["answers"] and not found["changes"]:
        screen.say("Nothing would change.")
    if found["answers"]:
        screen.say("These files would be read, with these answers:")
        rows = [
            [a["origin"], a["dataset"] or "", a["state"], a["counts"]["accepted"], a["counts"]["quarantined"],
             ", ".join(dict.fromkeys(p["code"] for p in a["problems"] if p["severity"] == "error"))]
            for a in found["answers"]
        ]  # fmt: skip
        screen.table(["File", "!Dataset", "!Answer", ">accepted", ">quarantined", "Because"], rows)
    if found["growing"]:
        screen.say(f"Still growing, left for the next round: {', '.join(found['growing'])}")
    for dataset, change in found["changes"].items():
        if not change["opened"] + change["closed"]:
            screen.say(f"{dataset}: the history would stay; only what submissions stand for would change.")
            continue
        screen.say(f"{dataset}: {change['opened']} versions would begin (+), {change['closed']} end (-).", style="bold")
        lines = found["difference"][dataset]
        if lines:
            names = [c for c in lines[0] if c not in ("change", "entity_id")]
            screen.table(["!+-", *names], [[line["change"], *[line[c] for c in names]] for line in lines])
        if change["opened"] + change["closed"] > len(lines):
            screen.say(f"  … the first {len(lines)} of them")
    screen.say("Nothing was written.")
