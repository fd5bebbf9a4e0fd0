"""``lienthong worklist`` on the screen: how much waits, and what.

Here: layout, and the file that is written. What waits is found by :mod:`assets.core.worklists`, the workbook made by
:mod:`assets.returns.worklist_book`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from assets.core.worklists import LISTS, Row

from .cli_output import Screen, plural
from .report import Unclear

_BAR = 30
_ROWS = 50
"""Rows of a list on the screen."""


def known(name: str) -> str:
    """A list's name; raises :class:`Unclear` with the nearest there is."""
    if name in LISTS:
        return name
    near = get_close_matches(name.lower().replace("-", "_"), LISTS, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(LISTS)}"
    raise Unclear(f"there is no work list {name}; {hint}")


def write(file: Path, data: bytes) -> None:
    """Write a workbook that may hold personal data: for its owner only, and never over one that somebody may have filled in."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Unclear(f"{file} is there already, and somebody may have filled it in; name another file") from None
    with os.fdopen(descriptor, "wb") as target:
        target.write(data)


def show_counts(screen: Screen, counts: Mapping[str, int], call: str) -> None:
    """A line per list."""
    most = max(counts.values(), default=0)
    rows = [[name, n, _bar(n, most), LISTS[name].waits] for name, n in counts.items()]
    screen.table(["!Work list", ">waiting", "!", "What waits"], rows)
    if not most:
        screen.say("Nothing waits for anybody.")
        return
    first = next(name for name, n in counts.items() if n)
    screen.commands(
        [
            (f"{call} worklist {first}", "its rows"),
            (f"{call} worklist --xlsx viec.xlsx", "a workbook to fill in and send back through the inbox"),
        ]
    )


def _bar(n: int, most: int) -> str:
    return "█" * max(1, round(_BAR * n / most)) if n else ""


def show_list(screen: Screen, name: str, rows: Sequence[Row], call: str) -> None:
    """The rows of one list."""
    if not rows:
        screen.say(f"{name}: empty.")
        return
    columns, line = _LAYOUT[name]
    screen.table(columns, [line(row) for row in rows[:_ROWS]], title=f"{LISTS[name].title} ({len(rows)})")
    if len(rows) > _ROWS:
        screen.say(f"  … and {plural(len(rows) - _ROWS, 'more row')}; --json and --xlsx have all")
    screen.commands(_next(name, call))


def _next(name: str, call: str) -> list[tuple[str, str]]:
    book = (f"{call} worklist {name} --xlsx viec.xlsx", "to fill in and send back through the inbox")
    return {
        "held_submissions": [(f"{call} decide SUBMISSION accept --reason '…'", "or refuse"), book],
        "clerical_pairs": [book],
        "unmatched_rows": [(f"{call} show SUBMISSION", "what is wrong with its rows")],
        "unknown_codes": [(f"{call} show SUBMISSION", "what is wrong with its rows")],
    }.get(name, [])


def _said(record: Mapping[str, Any]) -> str:
    if not record:
        return "(no longer there)"
    where = f"{record['sender']}, {record['period']}"
    return "; ".join([where, *(f"{label}: {value}" for label, value in record["said"].items())])


def _sender(row: Row) -> str:
    return f"{row['sender']} {row['sender_name'] or ''}".rstrip()


_Line = Callable[[Row], Sequence[Any]]
_LAYOUT: Mapping[str, tuple[Sequence[str], _Line]] = {
    "held_submissions": (
        ["!Submission", "!Dataset", "!Period", "Sender", "!Against", "!Since", "Because"],
        lambda r: [
            r["submission_id"], r["dataset"], r["period"], _sender(r), r["predecessor"] or "-",
            f"{r['held_since']:%Y-%m-%d}" if r["held_since"] else "", " ".join(r["why"]),
        ],
    ),
    "unmatched_rows": (
        ["!Submission", "!Period", "Sender", "!Cell", "Because", "The row"],
        lambda r: [
            r["submission_id"], r["period"], _sender(r), f"{r['sheet']}!{r['address']}" if r["sheet"] else r["address"],
            " ".join(r["why"]), "; ".join(f"{k}: {v}" for k, v in r["said"].items()),
        ],
    ),
    "clerical_pairs": (
        ["!Dataset", "Why", ">weight", "One", "The other"],
        lambda r: [r["dataset"], r["why"], r["weight"], _said(r["left"]), _said(r["right"])],
    ),
    "conflicts": (
        ["!Dataset", "!Entity", "Column", "!From", "!To", "Chosen", "Others", "Rule"],
        lambda r: [
            r["dataset"], r["entity_id"], r["attribute"], r["valid_from"], r["valid_to"],
            f"{r['chosen']['value']} ({r['chosen']['sender']})",
            "; ".join(f"{o['value']} ({o['sender']})" for o in r["others"]), r["rule"],
        ],
    ),
    "statistics_differences": (
        ["!Organisation", "!Procedure", "!From", "!To", "Said ≠ found"],
        lambda r: [r["organization_code"], r["procedure_code"], r["valid_from"], r["valid_to"], r["differences"]],
    ),
    "unknown_codes": (
        ["!Dataset", "Column", "Value", "!Rule", ">rows", "Senders", "!for example"],
        lambda r: [
            r["dataset"], r["label"], r["value"], r["rule"], r["rows"], ", ".join(r["senders"]),
            f"{r['submission_id']} {r['address']}",
        ],
    ),
    "crosswalk_differences": (
        ["!Old", "Name", "!New", "Name", "!Province", "!Difference", "!In the file", "!In reference"],
        lambda r: [
            r["old_code"], r["old_name"], r["new_code"], r["new_name"], r["province_code"], r["difference"],
            r["kind_in_file"], r["kind_in_reference"],
        ],
    ),
}  # fmt: skip
