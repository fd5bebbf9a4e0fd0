"""``lienthong status`` on the screen: the whole at a glance, and the board of senders and periods.

Here: layout only. What it says comes from :mod:`.report`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from assets.returns.answers import problem_text

from .cli_output import Screen, plural
from .cli_run import in_words, show_secrets

_ROWS = 15
_LETTERS = {
    "accepted": "ok", "partly": "part", "held": "held", "rejected": "REJ", "withdrawn": "wdr", "repeated": "same",
    "staged": "new", "received": "new",
}  # fmt: skip


def show_overview(screen: Screen, found: Mapping[str, Any], call: str) -> None:
    """Print :func:`pipelines.report.overview`."""
    publish = found["publish"]
    if publish["published_at"] is None:
        screen.say("Nothing is published yet.", style="bold")
    else:
        back = f", which shows publish {publish['shows']} again" if publish["taken_back"] else ""
        screen.say(f"Publish {publish['number']} of {publish['published_at']:%Y-%m-%d %H:%M}{back}.", style="bold")
    show_secrets(screen, found["secrets"])
    if not found["datasets"] and not found["pending"]:
        screen.say("Nothing has arrived. See how it works with an invented province:")
        screen.commands([(f"{call} demo", ""), (f"{call} run", "the real inbox")])
        return
    _states(screen, found["datasets"])
    if found["pending"]:
        screen.say(f"{plural(found['pending'], 'file')} waiting to be read:")
        screen.commands([(f"{call} run", "")])
    held = found["held"]
    if held:
        screen.table(["!Held", "!Dataset", "!Period", "Sender", "Because"], [_waiting(w) for w in held[:_ROWS]])
        screen.say("Each waits for a decision:")
        screen.commands((f"{call} decide {w['submission_id']} accept --reason '…'", "or refuse") for w in held[:_ROWS])
        _rest(screen, held)
    open_ones = [w for w in found["rejected"] if not w["mended"]]
    if open_ones:
        columns = ["!Rejected", "!Dataset", "!Period", "Sender", "Because"]
        screen.table(columns, [_waiting(w) for w in open_ones[:_ROWS]])
        _rest(screen, open_ones)
    mended = len(found["rejected"]) - len(open_ones)
    if mended:
        screen.say(f"{mended} more rejected, with a sound file of the same period since.")
    _work(screen, found, call)


def _states(screen: Screen, lines: Sequence[Mapping[str, Any]]) -> None:
    table: dict[str, dict[str, int]] = defaultdict(dict)
    quarantined: dict[str, int] = defaultdict(int)
    for line in lines:
        name = line["dataset"] or "(not recognised)"
        table[name][line["state"]] = line["submissions"]
        if line["state"] == "partly":
            quarantined[name] += line["rows_quarantined"]
    rows = [[name, in_words(of), quarantined[name]] for name, of in table.items()]
    screen.table(["!Dataset", "Submissions", ">rows quarantined"], rows)


def _waiting(one: Mapping[str, Any]) -> list[Any]:
    errors = [p for p in map(problem_text, one["problems"]) if p["severity"] == "error"]
    because = "; ".join(f"{p['code']}: {p['message']}" for p in errors)
    sender = f"{one['sender']} {one['sender_name'] or ''}".rstrip()
    return [one["submission_id"], one["dataset"] or "", one["period"], sender, because]


def _work(screen: Screen, found: Mapping[str, Any], call: str) -> None:
    work = found["work"]
    if work:
        parts = ("dataset", "rule", "column_name", "rows", "submissions", "example")
        rows = [[w[part] for part in parts] for w in work[:_ROWS]]
        columns = ["!Dataset", "Rows in quarantine by rule", "Column", ">rows", ">submissions", "!for example"]
        screen.table(columns, rows)
        _rest(screen, work)
    if found["ends_nobody"]:
        names = ", ".join(found["ends_nobody"])
        screen.say(f"Snapshots with a row whose key cannot be read, so that they end nobody until decided: {names}")
    if found["crosswalk"]:
        kinds = Counter(d["difference"] for d in found["crosswalk"])
        said = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        screen.say(f"unit_changes and the crosswalk of reference differ in {len(found['crosswalk'])} pairs: {said}")
        screen.commands([(f"{call} --json status", "lists them under 'crosswalk'")])
    for one in found["could_not_run"]:
        screen.say(f"{one['submission_id']}: the rule {one['rule']} could not run")


def _rest(screen: Screen, things: Sequence[Any]) -> None:
    if len(things) > _ROWS:
        screen.say(f"  … and {len(things) - _ROWS} more; --json has all")


def show_matrix(screen: Screen, board: Mapping[str, Any]) -> None:
    """Print :func:`pipelines.report.matrix`: a line per sender, a column per period."""
    periods = board["periods"]
    rows = [
        [f"{s['sender']} {s['name']}", *[_LETTERS[s["cells"][p]["state"]] if p in s["cells"] else "-" for p in periods]]
        for s in board["senders"]
    ]
    screen.table(["Sender", *[f"!{p}" for p in periods]], rows, title=board["dataset"])
    screen.say("ok accepted, part some rows quarantined, held waits for a decision, REJ rejected, - nothing")
