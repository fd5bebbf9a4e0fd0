"""Findings: what rules across submissions and datasets say about the rows under an open publish.

Here: evaluating the rules whose data changed and writing what differs from the last publish, so that a finding has a history
like the rows that it is about and a publish that is taken back takes its findings back. Not here: the rules
(:mod:`expectations.across`), the answer to the sender.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from expectations.across import query
from schemas.contract import AcrossRule, Contract
from schemas.expectation_types import ACROSS
from schemas.migrate import quote

_HERE = Path(__file__).parent


@dataclass
class Judged:
    """What a rule came to: rows that it could judge, rows that fail, and whether that differs from the last publish."""

    dataset: str
    rule: str
    evaluated: int
    failed: int
    changed: bool


def find(
    connection: psycopg.Connection, contracts: Sequence[Contract], changed: Collection[str], publish: int
) -> list[Judged]:
    """Evaluate, in the caller's transaction, the rules that read one of the ``changed`` datasets or that are new themselves
    (other SQL, arguments or reference lists); a rule with a dataset that no contract describes judges nothing."""
    known = {c.dataset for c in contracts}
    fresh: set[str] = set()
    judged = []
    for contract in contracts:
        for rule in contract.across:
            reads = {contract.dataset, *ACROSS[rule.kind].datasets}
            mark = _fingerprint(connection, contract, rule)
            before = connection.execute(
                "select fingerprint, evaluated, failed from core.rule_result "
                "where dataset = %s and rule = %s and publish_to is null",
                [contract.dataset, rule.id],
            ).fetchone()
            if before is not None and before[0] == mark and reads.isdisjoint(changed):
                continue
            # freshly loaded: the planner would take the tables for empty
            for dataset in sorted((reads & known) - fresh):
                connection.execute(f"analyze core.{quote(dataset)}")
            fresh |= reads
            _evaluate(connection, contract, rule, reads <= known)
            judged.append(_write(connection, contract, rule, mark, before, publish))
    return judged


def _fingerprint(connection: psycopg.Connection, contract: Contract, rule: AcrossRule) -> str:
    version = connection.execute("select version from core.reference_version").fetchone()
    text = repr((query(rule, contract), sorted(rule.kwargs.items()), version))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _evaluate(connection: psycopg.Connection, contract: Contract, rule: AcrossRule, complete: bool) -> None:
    connection.execute("set local client_min_messages = warning")
    # whole tables are joined: an estimate of one row must not turn that into a loop over all pairs
    connection.execute("set local enable_nestloop = off")
    connection.execute("drop table if exists _found")
    text = query(rule, contract) if complete else (
        "select null::bigint as entity_id, null::date as valid_from, false as failed, null::jsonb as params where false"
    )  # fmt: skip
    connection.execute(
        f"create temporary table _found on commit drop as {text}", {**rule.kwargs, "dataset": contract.dataset}
    )
    connection.execute("set local enable_nestloop to default")


def _write(
    connection: psycopg.Connection,
    contract: Contract,
    rule: AcrossRule,
    mark: str,
    before: tuple[str, int, int] | None,
    publish: int,
) -> Judged:
    row = connection.execute(
        (_HERE / "findings.sql").read_text(encoding="utf-8"),
        {"dataset": contract.dataset, "rule": rule.id, "publish": publish},
    ).fetchone()
    assert row is not None
    evaluated, failed, moved = row
    # a rule that has never had anything to judge is no news
    counts = before[1:] if before is not None else (0, 0)
    result = Judged(contract.dataset, rule.id, evaluated, failed, bool(moved) or counts != (evaluated, failed))
    if not result.changed:
        connection.execute(
            "update core.rule_result set fingerprint = %s where dataset = %s and rule = %s and publish_to is null",
            [mark, contract.dataset, rule.id],
        )
    else:
        connection.execute(
            "update core.rule_result set publish_to = %s where dataset = %s and rule = %s and publish_to is null",
            [publish, contract.dataset, rule.id],
        )
        connection.execute(
            "insert into core.rule_result (dataset, rule, fingerprint, evaluated, failed, publish_from) "
            "values (%s, %s, %s, %s, %s, %s)",
            [contract.dataset, rule.id, mark, evaluated, failed, publish],
        )
    if moved:  # their senders get another answer
        connection.execute(
            "update intake.submission set announced_state = null where dataset = %s and state in ('accepted', 'partly')",
            [contract.dataset],
        )
    return result


def results(connection: psycopg.Connection, dataset: str) -> dict[str, tuple[str, int, int]]:
    """Rule -> (status, rows judged, rows that fail) as of the publish that readers see."""
    rows = connection.execute(
        "select r.rule, r.status, r.evaluated, r.failed from core.rule_result r, core.pointer p where r.dataset = %s "
        "and r.publish_from <= p.shows and (r.publish_to is null or r.publish_to > p.shows)",
        [dataset],
    )
    return {r[0]: (r[1], r[2], r[3]) for r in rows}
