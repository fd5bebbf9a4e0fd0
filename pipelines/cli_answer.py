"""The answer to a submission as an officer reads it: in Vietnamese, cell by cell.

Here: the layout that ``lienthong check`` and ``lienthong show`` share. What is said: :mod:`assets.returns.answers`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.contract import Contract
from schemas.messages import Words, known, text
from schemas.vietnam import VIETNAM

from .cli_output import Screen

_ROWS = 50
"""Rows of a table on the screen; ``--json`` has all."""


def show_answer(
    screen: Screen,
    answer: Mapping[str, Any],
    contracts: Mapping[str, Contract],
    senders: Mapping[str, str],
    *,
    sent: bool = True,
) -> None:
    """Print an answer. ``sent``: it is one of the ledger, with an id and a time of receipt; else only a check."""
    contract = contracts.get(answer["dataset"] or "")
    screen.say(f"{answer['state_label']}: {answer['file']}", style="bold")
    for name, fact in _facts(answer, contract, senders, sent):
        screen.say(f"  {name:<12} {fact}")
    if answer["problems"]:
        rows = [[text("severity", p["severity"]), p["code"], p["message"], p["remedy"]] for p in answer["problems"]]
        screen.table(
            [_fact("severity"), "!" + _fact("code"), _fact("message"), _fact("remedy")], rows, title=_fact("whole_file")
        )
    if answer["rows"]:
        many = len({r["sheet"] for r in answer["rows"]}) > 1
        rows = [
            [
                f"{r['sheet']}!{r['address']}" if many else r["address"],
                _fact("waived") if r["waived"] else text("severity", r["severity"]),
                *(r[part] for part in ("rule", "value", "message", "remedy")),
            ]
            for r in answer["rows"][:_ROWS]
        ]
        head = ["!" + _fact("cell"), "!" + _fact("severity"), *map(_fact, ("code", "value", "message", "remedy"))]
        screen.table(head, rows, title=_fact("cells"))
        _rest(screen, len(answer["rows"]))
    if answer["repairs"]:
        found = Counter((r["column"], r["rule"]) for r in answer["repairs"])
        labels = {c.name: c.label for c in contract.columns} if contract else {}
        shown = [
            [labels.get(column, column), text("repair", rule) if known("repair", rule) else rule, n]
            for (column, rule), n in sorted(found.items())
        ]
        screen.table([_fact("column"), _fact("repair"), ">" + _fact("count")], shown, title=_fact("repairs"))


def _facts(
    answer: Mapping[str, Any], contract: Contract | None, senders: Mapping[str, str], sent: bool
) -> list[tuple[str, str]]:
    counts = answer["counts"]
    aside = ", ".join(f"{text('aside', reason)} {n}" for reason, n in sorted(answer["set_aside"].items()))
    rows = _fact("rows_were", **counts)
    facts = [
        (
            _fact("dataset"),
            f"{contract.title} ({contract.dataset})" if contract else answer["dataset"] or _fact("unknown"),
        ),
        (_fact("sender"), f"{answer['sender']} {senders.get(answer['sender'], '')}".rstrip()),
        (_fact("period"), answer["period"] or ""),
    ]
    if answer["as_of"]:
        facts.append(
            (_fact("as_of"), f"{_day(answer['as_of'])} ({text('as_of', answer['as_of_source'] or 'correction')})")
        )
    facts.append((_fact("rows"), rows + (f" ({aside})" if aside else "")))
    if counts["flagged"]:
        facts.append((text("severity", "warning"), _fact("flagged", n=counts["flagged"])))
    if sent:
        received = datetime.fromisoformat(answer["received_at"]).astimezone(VIETNAM)
        facts.insert(0, (_fact("submission"), f"{answer['submission_id']} ({answer['state']})"))
        facts.append((_fact("received"), f"{received:%d/%m/%Y %H:%M}"))
        facts.append((_fact("origin"), f"{answer['origin']} ({answer['size']} byte, SHA-256 {answer['sha256'][:12]}…)"))
        if gone := answer["destroyed"]:
            facts.append((_fact("archived"), _fact("destroyed", **gone)))
        if answer["predecessor"]:
            facts.append((_fact("predecessor"), answer["predecessor"]))
    return facts


def show_not_checked(screen: Screen, rules: list[dict[str, str]]) -> None:
    """Print the rules that a check of one file cannot judge."""
    screen.table(
        ["!" + _fact("rule"), _fact("message")],
        [[r["rule"], r["message"]] for r in rules],
        title=_fact("not_checked"),
    )


def not_checked(contract: Contract | None) -> list[dict[str, str]]:
    """The rules across files of a dataset, as not checked: [{rule, status 'not_checked', message}]."""
    rules = [("other_files", text("answer", "other_files"))]
    for column in contract.columns if contract else ():
        dataset = (column.references or "").split(".")[0]
        if dataset and dataset not in ("units", "senders"):
            told = text("answer", "references", label=column.label, dataset=dataset)
            rules.append((f"{column.name}_references", told))
    rules += [(rule.id, rule.remedy.format_map(Words(address=""))) for rule in (contract.across if contract else ())]
    return [{"rule": rule, "status": "not_checked", "message": message} for rule, message in rules]


def _fact(key: str, **params: Any) -> str:
    return text("fact", key, **params)


def _rest(screen: Screen, total: int) -> None:
    if total > _ROWS:
        screen.say("  " + _fact("rest", n=total - _ROWS))


def _day(iso: str) -> str:
    return "/".join(reversed(iso.split("-")))
