"""Findings: what rules across submissions and datasets say about the rows under an open publish.

Here: evaluating the rules whose data changed and writing what differs from the last publish, so that a finding has a history
like the rows that it is about and a publish that is taken back takes its findings back. Not here: the rules
(:mod:`expectations.across`), the answer to the sender.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from expectations.across import query, since
from schemas.contract import AcrossRule, Contract
from schemas.expectation_types import ACROSS
from schemas.migrate import quote
from schemas.periods import period_of

_HERE = Path(__file__).parent
_WRITE = (_HERE / "findings.sql").read_text(encoding="utf-8")
_NOTHING = (
    "select null::bigint as entity_id, null::date as valid_from, false as failed, null::jsonb as params where false"
)


@dataclass
class Judged:
    """What a rule came to: rows that it could judge, rows that fail, and whether that differs from the last publish."""

    dataset: str
    rule: str
    evaluated: int
    failed: int
    changed: bool


Counts = dict[str, list[int]]
"""First day of a period -> rows judged, rows that fail."""


@dataclass(frozen=True)
class _Result:
    """What is known of a rule from the last publish; ``counts`` where it is judged by period."""

    fingerprint: str
    evaluated: int
    failed: int
    counts: Counts | None


def find(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    changed: Collection[str],
    touched: Mapping[str, date],
    publish: int,
) -> list[Judged]:
    """Evaluate, in the caller's transaction, the rules that read one of the ``changed`` datasets or that are new themselves
    (other SQL, arguments or reference lists); a rule with a dataset that no contract describes judges nothing. ``touched``: since
    when a dataset says anything else (:mod:`.touched`): rules about periods judge those before it no more."""
    rows = connection.execute(
        "select dataset, rule, fingerprint, evaluated, failed, counts from core.rule_result where publish_to is null"
    )
    held = {(r[0], r[1]): _Result(*r[2:]) for r in rows}
    version = connection.execute("select version from core.reference_version").fetchone()
    fresh: set[str] = set()
    judged = []
    # whole tables are joined: an estimate of one row must not turn that into a loop over all pairs
    connection.execute("set local enable_nestloop = off")
    for contract in contracts.values():
        for rule in contract.across:
            reads = {contract.dataset, *ACROSS[rule.kind].datasets}
            mark, before = _fingerprint(contract, rule, version), held.get((contract.dataset, rule.id))
            same = before is not None and before.fingerprint == mark
            if same and reads.isdisjoint(changed):
                continue
            if before is None and not contracts.keys() >= reads:
                continue
            # freshly loaded: the planner would take the tables for empty
            for dataset in sorted((reads & contracts.keys()) - fresh):
                connection.execute(f"analyze core.{quote(dataset)}")
            fresh |= reads
            first = (
                _first(connection, contract, rule, touched, publish) if same and before and before.counts else date.min
            )
            if first == date.max:
                continue
            text = query(rule, contract, first) if contracts.keys() >= reads else _NOTHING
            judged.append(_judge(connection, contract, rule, text, first, mark, before, publish))
    connection.execute("set local enable_nestloop to default")
    return judged


def _fingerprint(contract: Contract, rule: AcrossRule, version: tuple[Any, ...] | None) -> str:
    text = repr((query(rule, contract), sorted(rule.kwargs.items()), version))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _dated(contract: Contract, rule: AcrossRule) -> bool:
    return ACROSS[rule.kind].dated and contract.valid_time == "period"


def _first(
    connection: psycopg.Connection, contract: Contract, rule: AcrossRule, touched: Mapping[str, date], publish: int
) -> date:
    """First day of the first period of which the rule may say anything else than in the last publish."""
    days = [touched[d] for d in (contract.dataset, *ACROSS[rule.kind].datasets) if d in touched]
    if (own := since(rule.kind)) is not None:
        row = connection.execute(own, {"publish": publish}).fetchone()
        days += [row[0]] if row is not None and row[0] is not None else []
    if not days:
        return date.max
    return date.min if min(days).year < 1900 else period_of(min(days), contract.period_type, contract.calendar).first


def _judge(
    connection: psycopg.Connection,
    contract: Contract,
    rule: AcrossRule,
    text: str,
    first: date,
    mark: str,
    before: _Result | None,
    publish: int,
) -> Judged:
    """Evaluate one rule for the periods that begin on ``first`` or later and write what differs from the last publish."""
    parameters = {**rule.kwargs, "dataset": contract.dataset, "rule": rule.id, "publish": publish, "first": first}
    row = connection.execute(_WRITE.replace("{rule}", text), parameters).fetchone()
    assert row is not None
    counts: Counts | None = None
    evaluated, failed, by_day, moved = row
    if _dated(contract, rule):
        kept = before.counts if before is not None and before.counts else {}
        counts = dict(sorted(({k: v for k, v in kept.items() if k < first.isoformat()} | by_day).items()))
        evaluated, failed = (sum(n[i] for n in counts.values()) for i in (0, 1))
    # a rule that has never had anything to judge is no news
    known = (before.evaluated, before.failed) if before is not None else (0, 0)
    result = Judged(contract.dataset, rule.id, evaluated, failed, bool(moved) or known != (evaluated, failed))
    if result.changed or before is None:
        connection.execute(
            "update core.rule_result set publish_to = %s where dataset = %s and rule = %s and publish_to is null",
            [publish, contract.dataset, rule.id],
        )
        # where nothing came of it there may be no such publish
        connection.execute(
            "insert into core.rule_result (dataset, rule, fingerprint, evaluated, failed, counts, publish_from) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            [contract.dataset, rule.id, mark, evaluated, failed, _json(counts), publish if result.changed else 0],
        )
    elif (before.fingerprint, before.counts) != (mark, counts):
        connection.execute(
            "update core.rule_result set fingerprint = %s, counts = %s where dataset = %s and rule = %s and publish_to is null",
            [mark, _json(counts), contract.dataset, rule.id],
        )
    if moved:  # their senders get another answer
        rows = f"staging.{quote(contract.dataset + '_rows')}"
        connection.execute(
            f"update intake.submission set announced_state = null where dataset = %s and state in ('accepted', 'partly') "
            f"and assessment_no in (select r._assessment from {rows} r where r._key = any (%s))",
            [contract.dataset, moved],
        )
    return result


def _json(counts: Counts | None) -> Jsonb | None:
    return None if counts is None else Jsonb(counts)


def places(connection: psycopg.Connection, contract: Contract) -> dict[str, list[tuple[str, str]]]:
    """Rule -> (submission, address) of the first ten rows in force that it flags, as of the publish that readers see. The address
    is that of the column which the rule blames, or of the row alone where the sheet has no such column."""
    query = (_HERE / "findings_places.sql").read_text(encoding="utf-8")
    parameters = {
        "dataset": contract.dataset,
        "by_period": contract.valid_time == "period",
        "rules": [rule.id for rule in contract.across],
        "sources": [contract.column(rule.column).source for rule in contract.across],
    }
    found: dict[str, list[tuple[str, str]]] = {}
    for rule, *place in connection.execute(query.replace("{rows}", quote(contract.dataset + "_rows")), parameters):
        found.setdefault(rule, []).append((place[0], place[1]))
    return found


def results(connection: psycopg.Connection, dataset: str) -> dict[str, tuple[str, int, int]]:
    """Rule -> (status, rows judged, rows that fail) as of the publish that readers see."""
    rows = connection.execute(
        "select r.rule, r.status, r.evaluated, r.failed from core.rule_result r, core.pointer p where r.dataset = %s "
        "and r.publish_from <= p.shows and (r.publish_to is null or r.publish_to > p.shows)",
        [dataset],
    )
    return {r[0]: (r[1], r[2], r[3]) for r in rows}
