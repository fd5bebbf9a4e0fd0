"""``lienthong person``: what is asked and printed about one person. What is found and done is :mod:`assets.core.person`'s.

Numbers and names are printed to whoever asked, and nowhere else: a number is read from standard input, so that it does not
stay in the shell's history, and no error repeats what was given.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from assets.core.person import Plan

from .cli_output import Screen, plural


def number_given(number: str | None) -> str:
    """The number of a card: the argument, else a hidden prompt on a terminal, else a line of standard input."""
    if number is not None:
        return number
    if sys.stdin.isatty():
        return str(typer.prompt("Number on the card", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def value_given(value: str | None) -> str:
    """The value that is right: the argument, else a prompt on a terminal, else a line of standard input."""
    if value is not None:
        return value
    if sys.stdin.isatty():
        return str(typer.prompt("The right value", err=True))
    return sys.stdin.readline().strip()


def show_found(screen: Screen, found: Sequence[Mapping[str, Any]], call: str) -> None:
    """Print the entities with a number."""
    if not found:
        screen.say("Nobody with that number is known.")
        return
    screen.table((">Person", "The number stands in"), [(f["entity_id"], ", ".join(f["columns"])) for f in found])
    screen.commands((f"{call} person show {f['entity_id']} --reason '…'", "what is held") for f in found)


def show_person(screen: Screen, held: Mapping[str, Any]) -> None:
    """Print what is held, in short; an export has all of it."""
    screen.say(f"Person {held['entity_id']}", style="bold")
    if held["records"]:
        screen.say(f"Found to be the same: {', '.join(map(str, held['records']))}")
    numbers = [(i["value"], i["recorded_at"]) for i in held["identifiers"] if i["kind"] == "personal_id"]
    screen.table(("!Number", "Known since"), numbers)
    for name, dataset in held["datasets"].items():
        labels = dataset["columns"]
        for version in dataset["versions"]:
            screen.say(f"{dataset['title']} ({name}), from {version['valid_from']} to {version['valid_to'] or 'now'}")
            screen.table(("Column", "Value"), [(labels[c], v) for c, v in version["values"].items() if v is not None])
        rows = [
            (o["origin"], o["sheet"], o["row"], o["submission_id"], "accepted" if o["accepted"] else "quarantined",
             o["destroyed_at"] and f"destroyed on {o['destroyed_at'].date()} because {o['destroyed_why']}")
            for o in dataset["observations"]
        ]  # fmt: skip
        screen.table(
            ("File", "Sheet", ">Row", "!Submission", "Row", "The file"), rows, title=f"Rows about the person in {name}"
        )
        for conflict in dataset["conflicts"]:
            screen.say(
                f"{conflict['attribute']}: senders differ, by {conflict['rule']} that of {conflict['chosen']['sender']}"
            )
    if held["set_aside"]:
        screen.say(f"{plural(len(held['set_aside']), 'row')} about the person set aside; see the export.")
    screen.table(
        ("At", "Who", "Did", "Reason"), [(a["at"], a["who"], a["action"], a["reason"]) for a in held["accesses"]]
    )


def plan_said(plan: Plan) -> dict[str, Any]:
    """A plan of an erasure as data: counts, ids and places, no value."""
    return {
        "entity_id": plan.person.entity,
        "entities": {dataset: sorted(ids) for dataset, ids in plan.person.entities.items()},
        "counts": plan.counts(),
        "submissions": plan.submissions,
        "objects": plan.objects,
        "files": plan.origins,
    }


def show_plan(screen: Screen, plan: Plan, *, done: bool) -> None:
    """Print what goes, or went."""
    counts = plan.counts()
    went = "was erased" if done else "would be erased"
    screen.say(
        f"Of person {plan.person.entity} {went}: {plural(counts['rows'], 'staged row')} ({counts['quarantined']} in quarantine), "
        f"{plural(counts['set_aside'], 'row')} set aside, {plural(counts['versions'], 'version')} of all publishes, "
        f"{plural(counts['identifiers'], 'identifier')}."
    )
    if counts["identifiers_of_others_too"]:
        screen.say(f"{plural(counts['identifiers_of_others_too'], 'number')} kept: rows of other people have it too.")
    screen.say(f"Files that cannot be read any more ({len(plan.objects)}), with all that stands in them:")
    screen.table(("SHA-256",), [(sha256,) for sha256 in plan.objects])
    screen.say(
        "Rows of others from these files stay as they are. If the files lie in the inbox still, take them away there:"
    )
    screen.table(("File",), [(origin,) for origin in plan.origins])
