"""The merge on a real server, against the oracle: a function of the set, not of the order or number of runs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from assets.core.standing import Decision
from assets.marts.publish import back_to, prepare, publish, publishing
from schemas.contract import Contract
from schemas.migrate import migrate
from schemas.tables import sync

from .ledger import Closing, Sent, contract, history, oracle, put, wipe

PERIODS = ("2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2")


@pytest.fixture(scope="module")
def connection(server_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute("create database merge_tests")
        host = server.info.host
    url = f"postgresql://postgres@/merge_tests?host={host}"
    migrate(url)
    with psycopg.connect(url, autocommit=True) as found:
        sync(found, contract("snapshot"))
        yield found
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("drop database merge_tests with (force)"))


def run(connection: psycopg.Connection, things: Contract, abandon: bool = False) -> int | None:
    with publishing(connection):
        prepared = prepare(connection, [things])
        return None if abandon else publish(connection, prepared)


def decide(connection: psycopg.Connection, decision: Decision) -> None:
    connection.execute(
        "insert into intake.decision (kind, submission_id, predecessor, reason, decided_by) values (%s, %s, %s, 'r', 'b')",
        [decision.kind, decision.submission_id, decision.predecessor],
    )


@st.composite
def worlds(draw: st.DrawFn, senders: Sequence[str] = ("x",)) -> list[Sent]:
    many = draw(st.integers(1, 6))
    sent = []
    for no in range(1, many + 1):
        keys = draw(st.lists(st.sampled_from("abc"), max_size=3, unique=True))
        rows = {k: (draw(st.integers(0, 1)), draw(st.booleans()) or draw(st.booleans())) for k in keys}
        sent.append(
            Sent(no, draw(st.sampled_from(senders)), draw(st.sampled_from(PERIODS)), draw(st.integers(0, 4)), rows,
                 draw(st.sampled_from([0, 0, 0, 1])), draw(st.sampled_from(["", "", "same"])))
        )  # fmt: skip
    return sent


def closing(connection: psycopg.Connection, item: Closing) -> None:
    connection.execute(
        "insert into intake.closing (kind, dataset, period, reason, decided_by, decided_at) "
        "values (%s, 'things', %s, 'r', 'b', %s)",
        [item.kind, item.period, item.at],
    )


CLOSINGS = st.lists(
    st.builds(Closing, st.sampled_from(["close", "close", "reopen"]), st.sampled_from(PERIODS[:2]), st.integers(0, 4)),
    max_size=3,
)


@st.composite
def decisions(draw: st.DrawFn, sent: Sequence[Sent]) -> list[Decision]:
    """Decisions on submissions and pairs, the latest of a pair last (their time is the order in which they are made)."""
    names = [f"S{s.no}" for s in sent]
    kinds = st.sampled_from(["accept", "refuse", "withdraw"])
    predecessors = st.sampled_from([None, *names])
    made = draw(st.lists(st.builds(Decision, kinds, st.sampled_from(names), predecessors), max_size=2))
    return [replace(d, decided_at=None) for d in made]


CONTRACTS: dict[str, tuple[Contract, tuple[str, ...]]] = {
    "snapshot": (contract("snapshot"), ("x",)),
    "snapshot, held when it shrinks": (contract("snapshot", max_ended_share=0.4, max_bad_share=0.6), ("x",)),
    "snapshot, two senders": (contract("snapshot", precedence=("y", "x")), ("x", "y")),
    "snapshot, stale": (contract("snapshot", stale_after_months=4), ("x",)),
    "increment": (contract("increment"), ("x",)),
    "increment, two senders, stale": (contract("increment", stale_after_months=7), ("x", "y")),
    "facts of a period": (contract("facts", valid_time="period"), ("x",)),
}


@pytest.mark.parametrize("name", CONTRACTS)
@given(data=st.data())
@settings(max_examples=15)
def test_any_order_and_number_of_runs_gives_what_the_set_means(
    name: str, data: st.DataObject, connection: psycopg.Connection
) -> None:
    things, senders = CONTRACTS[name]
    sent = data.draw(worlds(senders))
    made = data.draw(decisions(sent))
    closed = data.draw(CLOSINGS)
    expected = oracle(things, sent, made, closed)
    chance = random.Random(data.draw(st.integers(0, 10_000)))
    wipe(connection)
    pending: list[Any] = chance.sample(sent, len(sent))
    for decision in made:
        # somewhere after its submission, and after the decisions before it
        after = max(
            i for i, p in enumerate(pending) if p is made or getattr(p, "no", None) == int(decision.submission_id[1:])
        )
        later = [i for i, p in enumerate(pending) if isinstance(p, Decision)]
        pending.insert(chance.randint(max([after, *later]) + 1, len(pending)), decision)
    for close in closed:  # a close may be written down before what it is about is read, or long after
        pending.insert(chance.randint(0, len(pending)), close)
    for item in pending:
        if isinstance(item, Decision):
            decide(connection, item)
        elif isinstance(item, Closing):
            closing(connection, item)
        else:
            put(connection, item)
        if chance.random() < 0.5:
            run(connection, things, abandon=chance.random() < 0.3)
    run(connection, things)
    assert history(connection) == expected
    assert run(connection, things) is None  # twice is once
    assert history(connection) == expected
    assert_sound(connection)


def assert_sound(connection: psycopg.Connection) -> None:
    """No two versions of an entity overlap in valid time under any publish that was ever shown."""
    overlapping = connection.execute(
        "with shown as (select p.number, t.* from core.publish p join core.things t on t.publish_from <= p.shows "
        "and (t.publish_to is null or t.publish_to > p.shows) where p.state = 'published') "
        "select count(*) from shown a join shown b using (number, entity_id) where a.valid_from < b.valid_from "
        "and daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)"
    ).fetchone()
    assert overlapping == (0,)


def test_a_first_submission_alone_takes_the_short_way_to_the_same_history(connection: psycopg.Connection) -> None:
    things = contract("snapshot")
    wipe(connection)
    first = Sent(1, "x", "2026-Q1", 0, {"a": (1, True), "b": (2, False)})
    put(connection, first)
    run(connection, things)
    assert history(connection) == [("a", date(2026, 3, 31), None, 1, None)] == oracle(things, [first], [])


def test_what_is_written_is_only_what_differs(connection: psycopg.Connection) -> None:
    things = contract("snapshot")
    wipe(connection)
    put(connection, Sent(1, "x", "2026-Q1", 0, {"a": (1, True), "b": (2, True)}))
    run(connection, things)
    put(connection, Sent(2, "x", "2026-Q2", 1, {"a": (1, True), "b": (3, True)}))
    with publishing(connection):
        prepared = prepare(connection, [things])
        publish(connection, prepared)
    (merged,) = prepared.merged
    assert (merged.opened, merged.closed) == (2, 1)  # b: cut at the new date, and its new value; a: untouched


def test_a_list_that_replaces_one_that_ended_nobody_ends_those_before_both(connection: psycopg.Connection) -> None:
    things = contract("snapshot")
    wipe(connection)
    sent = [
        Sent(1, "x", "2025-Q3", 0, {"b": (0, True)}),
        Sent(2, "x", "2025-Q4", 1, {"a": (0, True)}, unkeyed=1),
        Sent(3, "x", "2025-Q4", 2, {}),
    ]
    for submission in sent:
        put(connection, submission)
        run(connection, things)
    assert history(connection) == [("b", date(2025, 9, 30), date(2025, 12, 31), 0, None)] == oracle(things, sent, [])


def test_back_to_shows_an_earlier_publish_and_the_next_one_shows_the_set_again(connection: psycopg.Connection) -> None:
    things = contract("snapshot")
    wipe(connection)
    put(connection, Sent(1, "x", "2026-Q1", 0, {"a": (1, True)}))
    first = run(connection, things)
    assert first is not None
    before = history(connection)
    put(connection, Sent(2, "x", "2026-Q2", 1, {"a": (5, True)}))
    run(connection, things)
    after = history(connection)
    assert before != after
    back_to(connection, first)
    assert history(connection) == before
    put(connection, Sent(3, "x", "2026-Q2", 2, {"a": (5, True), "b": (1, True)}))
    run(connection, things)
    assert history(connection) == [*after, ("b", date(2026, 6, 30), None, 1, None)]


def test_a_quarantined_row_keeps_its_entity_and_says_since_when(connection: psycopg.Connection) -> None:
    things = contract("snapshot")
    wipe(connection)
    for n, period in enumerate(("2025-Q4", "2026-Q1", "2026-Q2"), 1):
        put(connection, Sent(n, "x", period, n, {"a": (7, n == 1)}))
    run(connection, things)
    assert history(connection) == [("a", date(2025, 12, 31), None, 7, date(2026, 3, 31))]
