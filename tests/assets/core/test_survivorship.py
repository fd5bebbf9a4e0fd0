"""Several senders, one entity: column by column the best value stands, and what the others say is kept.

The model evaluates a day at a time in plain Python, from what each sender asserts then (``ledger.words``).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from assets.core.conflicts import conflicts
from assets.core.standing import Decision
from assets.core.survivorship import RULES, units
from assets.marts.publish import back_to, prepare, publish, publishing
from schemas.contract import Column, Contract
from schemas.migrate import migrate
from schemas.tables import sync

from .ledger import FOREVER, KEYS, Sent, put, wipe, words
from .test_merge import PERIODS, decide, decisions

COLUMNS = (
    Column("k", "Khóa", "string", "name", required=True, key_position=1),
    Column("sender", "Tên", "string", "name"),  # named as a column that the system's tables have
    Column("a", "Số", "number", "decimal"),
    Column("own", "Riêng", "date", "date", precedence=("z",)),
    Column("late", "Muộn", "boolean", "boolean", survivorship="latest"),
    Column("most", "Đa số", "integer", "integer", survivorship="majority", precedence=("z", "y")),
    Column("g", "Hộ", "integer", "integer"),
    Column("h", "Khẩu", "integer", "integer"),
)
NAMES = [c.name for c in COLUMNS]
SENDERS = ("x", "y", "z")


def wells(delivery: str = "increment", **more: Any) -> Contract:
    """A dataset of which several senders speak."""
    more = {
        "valid_time": "asOf",
        "max_ended_share": 1.0,
        "max_bad_share": 1.0,
        "precedence": ("y", "x"),
        "survivorship_groups": (("g", "h"),),
    } | more
    valid_time = more.pop("valid_time")
    return Contract("wells", "1.0.0", "", "", COLUMNS, (), delivery, valid_time, "all", "quarter", **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def connection(server_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute("create database survivorship_tests")
        host = server.info.host
    url = f"postgresql://postgres@/survivorship_tests?host={host}"
    migrate(url)
    with psycopg.connect(url, autocommit=True) as found:
        sync(found, wells())
        yield found
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("drop database survivorship_tests with (force)"))


# --- the model -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What a sender asserts on a day."""

    sender: str
    values: dict[str, Any]
    carried: bool
    as_of: date
    rank: int


def _form(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _order(
    columns: Sequence[str], rule: str, precedence: Sequence[str], said: Sequence[Said]
) -> list[tuple[Any, Said]]:
    """Who gives the columns, the best first, each with what was compared: name of the key -> number."""
    found = [s for s in said if any(s.values[c] is not None for c in columns)]
    votes = Counter(tuple(_form(s.values[c]) for c in columns) for s in said)

    def keys(s: Said) -> dict[str, int]:
        places = {p: n for n, p in enumerate(precedence)}
        full = {"fuller row": -sum(s.values[c] is not None for c in columns)} if len(columns) > 1 else {}
        most = {"majority": -votes[tuple(_form(s.values[c]) for c in columns)]} if rule == "majority" else {}
        listed, late = {"precedence": places.get(s.sender, 99)}, {"later as-of": -s.as_of.toordinal()}
        rest = {"later receipt": -s.rank}
        return (late | full | listed | rest) if rule == "latest" else (full | most | listed | late | rest)

    return sorted(((keys(s), s) for s in found), key=lambda pair: tuple(pair[0].values()))


def composed(said: Sequence[Said], precedence: Sequence[str]) -> tuple[dict[str, Any], bool, dict[str, Any]]:
    """The row that stands, whether any of it is carried on, and column -> (chosen, others, rule) where senders differ."""
    groups: list[tuple[list[str], str, Sequence[str]]] = [
        (["k"], "precedence", precedence), (["sender"], "precedence", precedence), (["a"], "precedence", precedence),
        (["own"], "precedence", ["z"]), (["late"], "latest", precedence), (["most"], "majority", ["z", "y"]),
        (["g", "h"], "precedence", precedence),
    ]  # fmt: skip
    row: dict[str, Any] = dict.fromkeys(NAMES)
    carried, disputed = False, {}
    for columns, rule, order in groups:
        ranked = _order(columns, rule, order, said)
        if not ranked:
            continue
        best_keys, best = ranked[0]
        carried |= best.carried
        for c in columns:
            row[c] = best.values[c]
            rivals = [k for k, s in ranked if s.values[c] is not None and _form(s.values[c]) != _form(row[c])]
            forms = {_form(s.values[c]) for _, s in ranked} - {None}
            if len(forms) > 1 and c != "k":
                others = sorted((s.sender, s.values[c]) for _, s in ranked[1:] if s.values[c] is not None)
                why = next(name for name, n in best_keys.items() if n != rivals[0][name])
                disputed[c] = ((best.sender, row[c]), others, why)
    return row, carried, disputed


def model(contract: Contract, sent: Sequence[Sent], made: Sequence[Decision]) -> tuple[list[Any], list[Any]]:
    """(history, conflicts) that these submissions and decisions mean."""
    bounds, word = words(contract, sent, made)
    apart = contract.valid_time == "period"  # each period's value is a fact of its own
    versions: list[list[Any]] = []
    disputes: list[list[Any]] = []
    for key in sorted({k for s in sent for k in s.rows}):
        for start, end in zip(bounds, [*bounds[1:], FOREVER], strict=True):
            live = [(s, w) for s in SENDERS if (w := word(key, s, start)) is not None]
            said = [Said(s, dict(zip(NAMES, w[0], strict=True)), *w[1:]) for s, w in live]
            if not said:
                continue
            row, carried, disputed = composed(said, contract.precedence)
            values = [row[n] for n in NAMES]
            last = versions[-1] if versions else None
            if last is not None and last[0] == key and last[2] == start and last[3] == values and not apart:
                last[2], last[4] = end, (last[4] or start) if carried else None
            else:
                versions.append([key, start, end, values, start if carried else None])
            for column, (chosen, others, rule) in disputed.items():
                before = [d for d in disputes if d[:2] == [key, column] and d[3] == start and not apart]
                if before and before[-1][4:7] == [chosen, others, rule]:
                    before[-1][3] = end
                else:
                    since = before[-1][7] if before else start
                    disputes.append([key, column, start, end, chosen, others, rule, since])
    for found, at in ((versions, 2), (disputes, 3)):
        for line in found:
            line[at] = None if line[at] == FOREVER else line[at]
    return versions, sorted(disputes, key=lambda d: d[:3])


# --- the database --------------------------------------------------------------------------------------------------


def run(connection: psycopg.Connection, contract: Contract, abandon: bool = False) -> int | None:
    with publishing(connection):
        prepared = prepare(connection, [contract])
        return None if abandon else publish(connection, prepared)


def send(connection: psycopg.Connection, sent: Sent) -> None:
    put(connection, sent, "wells", NAMES)


def history(connection: psycopg.Connection) -> list[Any]:
    """What readers see, like the model's."""
    rows = connection.execute(
        f"select lower(k), valid_from, valid_to, array[]::text[], carried_since, {', '.join(NAMES)} "
        "from mart_v1.wells_history order by 1, 2"
    )
    return [[*r[:3], list(r[5:]), r[4]] for r in rows]


def disputes(connection: psycopg.Connection) -> list[Any]:
    """Conflicts as readers' publish has them, like the model's."""
    rows = connection.execute(
        "select entity_id, attribute, valid_from, valid_to, chosen, others, rule, since from core.conflict c, core.pointer p "
        "where publish_from <= shows and (publish_to is null or publish_to > shows) order by 1, 2, 3"
    )
    keys = {n: k for k, n in KEYS.items()}

    def told(one: dict[str, Any], attribute: str) -> tuple[str, Any]:
        value = one["value"]
        return one["sender"], date.fromisoformat(value) if attribute == "own" and value else value

    return [
        [keys[r[0]], *r[1:4], told(r[4], r[1]), [told(o, r[1]) for o in r[5]], *r[6:]] for r in rows
    ]  # fmt: skip


def row(k: str = "a", **values: Any) -> dict[str, tuple[Any, bool]]:
    """One fit row."""
    return {k.lower(): (tuple({**dict.fromkeys(NAMES), "k": k, **values}.values()), True)}


_VALUES = {
    "sender": ["Ao", "AO", "Hồ"], "a": [1, 2], "own": [date(2025, 1, 1), date(2025, 1, 2)], "late": [True, False],
    "most": [1, 2, 3], "g": [1, 2], "h": [1, 2],
}  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> list[Sent]:
    sent = []
    for no in range(1, draw(st.integers(2, 6)) + 1):
        rows = {}
        for k in draw(st.lists(st.sampled_from("ab"), min_size=1, max_size=2, unique=True)):
            given_ = [draw(st.sampled_from([None, *_VALUES[n]])) for n in NAMES[1:]]
            rows[k] = ((draw(st.sampled_from([k, k.upper()])), *given_), draw(st.integers(0, 5)) > 0)
        sender = draw(st.sampled_from(SENDERS))
        if sent and draw(st.booleans()):  # a list is often sent again as it was
            sender, rows = (earlier := draw(st.sampled_from(sent))).sender, dict(earlier.rows)
        sent.append(Sent(no, sender, draw(st.sampled_from(PERIODS)), draw(st.integers(0, 4)), rows))
    return sent


CONTRACTS = {
    "increment": wells(),
    "snapshot": wells("snapshot"),
    "stale": wells(stale_after_months=4),
    "facts": wells("facts", valid_time="period", precedence=()),
}


@pytest.mark.parametrize("name", CONTRACTS)
@given(data=st.data())
@settings(max_examples=25)
def test_values_and_conflicts_are_what_the_set_means(
    name: str, data: st.DataObject, connection: psycopg.Connection
) -> None:
    contract = CONTRACTS[name]
    sent = data.draw(worlds())
    made = [replace(d, predecessor=None) for d in data.draw(decisions(sent)) if d.kind == "withdraw"]
    versions, disputed = model(contract, sent, made)
    chance = random.Random(data.draw(st.integers(0, 10_000)))
    wipe(connection, "wells")
    for item in [*chance.sample(sent, len(sent)), *made]:
        if isinstance(item, Decision):
            decide(connection, item)
        else:
            send(connection, item)
        if chance.random() < 0.5:
            run(connection, contract, abandon=chance.random() < 0.3)
    run(connection, contract)
    assert history(connection) == versions
    assert disputes(connection) == disputed
    assert run(connection, contract) is None
    assert (history(connection), disputes(connection)) == (versions, disputed)


def test_every_column_is_of_one_unit() -> None:
    found = [c for unit in units(wells()) for c in unit.columns]
    assert sorted(found) == sorted(NAMES) and found[0] == "k"


def test_a_blank_of_the_better_sender_never_stands(connection: psycopg.Connection) -> None:
    wipe(connection, "wells")
    send(connection, Sent(1, "x", "2026-Q1", 0, row(a=5, sender="Ao")))
    run(connection, wells())
    send(connection, Sent(2, "y", "2026-Q2", 1, row(sender="Hồ")))
    run(connection, wells())
    ((_, start, _, values, _),) = history(connection)[1:]
    assert (start, values[:3]) == (date(2026, 6, 30), ["a", "Hồ", 5])
    (found,) = conflicts(connection, "wells")
    assert (found.attribute, found.chosen, found.others, found.rule, found.since, found.senders) == (
        "sender", {"sender": "y", "value": "Hồ"}, [{"sender": "x", "value": "Ao"}], "precedence", date(2026, 6, 30), ["x", "y"],
    )  # fmt: skip
    assert conflicts(connection, "things") == [] and conflicts(connection) == [found]


def test_each_rule_decides_and_says_so(connection: psycopg.Connection) -> None:
    wipe(connection, "wells")
    day = {"x": date(2025, 1, 1), "y": date(2025, 1, 2), "z": date(2025, 1, 3)}
    send(connection, Sent(1, "x", "2026-Q1", 0, row(a=1, own=day["x"], late=True, most=1, g=1, h=1)))
    send(connection, Sent(2, "y", "2026-Q1", 1, row(a=2, own=day["y"], late=True, most=2, g=2)))
    send(connection, Sent(3, "z", "2026-Q2", 2, row(a=3, own=day["z"], late=False, most=1, h=3)))
    run(connection, wells())
    values = dict(zip(NAMES, history(connection)[-1][3], strict=True))
    assert values == {"k": "a", "sender": None, "a": 2, "own": day["z"], "late": False, "most": 1, "g": 1, "h": 1}
    rules = {c.attribute: c.rule for c in conflicts(connection)}
    assert rules == {
        "a": "precedence", "own": "precedence", "late": "later as-of", "most": "majority", "g": "fuller row", "h": "fuller row",
    }  # fmt: skip
    assert set(rules.values()) < set(RULES)


def test_a_withdrawal_gives_the_other_value_back_and_ends_the_conflict(connection: psycopg.Connection) -> None:
    wipe(connection, "wells")
    send(connection, Sent(1, "x", "2026-Q1", 0, row(a=1)))
    send(connection, Sent(2, "y", "2026-Q1", 1, row(a=2)))
    number = run(connection, wells())
    assert number is not None
    both = (history(connection), conflicts(connection))
    assert [c.chosen["value"] for c in both[1]] == [2]
    decide(connection, Decision("withdraw", "S2", None))
    run(connection, wells())
    assert [v[3][2] for v in history(connection)] == [1] and conflicts(connection) == []
    back_to(connection, number)
    assert (history(connection), conflicts(connection)) == both
    # a publisher that dies leaves nothing behind
    send(connection, Sent(3, "z", "2026-Q1", 2, row(a=7)))
    run(connection, wells(), abandon=True)
    assert (history(connection), conflicts(connection)) == both
    run(connection, wells())
    assert [(c.chosen["value"], c.others[0]["value"]) for c in conflicts(connection)] == [(1, 7)]
    swept = "select count(*) from core.conflict join core.publish p on state = 'swept' and number in (publish_from, publish_to)"
    assert connection.execute(swept).fetchone() == (0,)


def test_a_stale_value_does_not_speak(connection: psycopg.Connection) -> None:
    wipe(connection, "wells")
    contract = wells(stale_after_months=3)
    send(connection, Sent(1, "y", "2025-Q4", 0, row(a=1)))
    send(connection, Sent(2, "x", "2026-Q1", 1, row(a=2)))
    run(connection, contract)
    assert [(v[1], v[3][2]) for v in history(connection)] == [(date(2025, 12, 31), 1), (date(2026, 3, 31), 2)]
    assert disputes(connection) == []


def test_a_composed_row_that_somebody_says_is_that_row(connection: psycopg.Connection) -> None:
    """So that a sender who agrees changes nothing: no version ends to begin again."""
    wipe(connection, "wells")
    send(connection, Sent(1, "x", "2026-Q1", 0, row(a=1, g=2, h=3)))
    run(connection, wells())
    before = connection.execute("select value_hash, publish_from from core.wells").fetchall()
    send(connection, Sent(2, "y", "2026-Q1", 1, row(a=1)))
    assert run(connection, wells()) is not None
    assert connection.execute("select value_hash, publish_from from core.wells").fetchall() == before


def test_a_list_that_is_sent_again_as_it_was_counts_before_those_of_others(connection: psycopg.Connection) -> None:
    contract = CONTRACTS["snapshot"]
    said = [("x", "2025-Q3", True), ("y", "2025-Q4", False), ("x", "2026-Q1", True)]
    sent = [Sent(n, s, p, 0, row(late=v, a=1) | row("b", late=v)) for n, (s, p, v) in enumerate(said, 1)]
    del sent[1].rows["b"]
    wipe(connection, "wells")
    for one in sent:
        send(connection, one)
        run(connection, contract)
    assert history(connection) == model(contract, sent, [])[0]
    assert [v[1] for v in history(connection)] == [
        date(2025, 9, 30),
        date(2025, 12, 31),
        date(2026, 3, 31),
        date(2025, 9, 30),
    ]
