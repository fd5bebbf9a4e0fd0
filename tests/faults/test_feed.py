"""The change feed: a snapshot and what came after it are what readers see, at every publish, whatever is published or taken back.

The truth is what the published views showed right after each publish; it is read by itself and knows nothing of the feed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.core.decisions import decide, withdraw
from assets.marts import feed
from assets.marts.changes import forget, tell_erased
from assets.marts.feed import CannotFollow, Copy, Position, changes, follow, snapshot
from assets.marts.publish import back_to, prepare, publish, publishing
from schemas.contract import Column, Contract
from schemas.feed import INDICATORS, sync_feed
from schemas.roles import APP
from schemas.tables import sync
from tests.e2e.flows import World
from tests.faults.test_order import FILES, _drop, _held, _ids, _with
from tests.faults.worlds import Copies

Told = dict[str, Counter[str]]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _seen(connection: psycopg.Connection, datasets: list[str], prefix: str = "") -> Told:
    """What readers see now, by the published views alone; of their own rows what is not personal."""
    views = {d: d if d == INDICATORS else f"{prefix}{d}_history" for d in datasets}
    personal = "- 'secret'" if prefix else ""
    return {
        d: Counter(
            _canonical(json.loads(r[0], parse_float=Decimal))
            for r in connection.execute(f'select (to_jsonb(v) {personal})::text from mart_v1."{view}" v')  # type: ignore[arg-type]
        )
        for d, view in views.items()
    }


def _told(copy: Copy, datasets: list[str]) -> Told:
    return {d: Counter(_canonical(r.data) for r in copy.rows(d)) for d in datasets}


def _begin(connection: psycopg.Connection, datasets: list[str], at: int | None = None, *, own: bool = False) -> Copy:
    with snapshot(connection, datasets, at=at, own=own) as (position, rows):
        copy = Copy(position)
        copy.add(rows)
    return copy


def _catch_up(
    connection: psycopg.Connection, copy: Copy, limit: int, whole: Callable[[], None], *, own: bool = False
) -> int:
    """Read to the end, stopping anywhere; ``whole`` is called each time that a publish is complete. Number of changes."""
    count, more = 0, True
    while more:
        # what an app has stored is the text; that a page comes twice must not matter
        page = changes(connection, Position.parse(str(copy.position)), limit=limit, own=own)
        again = changes(connection, copy.position, limit=limit, own=own)
        assert page == again
        copy.apply(page)
        count, more = count + len(page.changes), page.more
        if copy.position.sequence is None:
            whole()
    return count


# --- any order of anything, in small ------------------------------------------------------------------------------------

_PLACE = "places"
_SUM = "sums"


def _contract(name: str, **more: Any) -> Contract:
    columns = (
        Column("k", "Khóa", "string", "name", required=True, key_position=1),
        Column("n", "Số", "integer", "integer", required=True),
        Column("secret", "Riêng", "string", "text", classification="P2"),
        Column("unit", "Xã", "string", "text"),
        Column("office", "Cơ quan", "string", "text", references="organizations.organization_code"),
    )
    given: dict[str, Any] = {
        "delivery": "snapshot",
        "valid_time": "asOf",
        "sender_scope": "all",
        "period_type": "quarter",
        "scope_column": "unit",
    }
    return Contract(name, "1.0.0", "", "", columns, (), **{**given, **more})


CONTRACTS = {c.dataset: c for c in (_contract(_PLACE), _contract(_SUM, delivery="facts", valid_time="period"))}
QUARTERS = {
    "2026-Q1": (date(2026, 1, 1), date(2026, 3, 31)),
    "2026-Q2": (date(2026, 4, 1), date(2026, 6, 30)),
    "2026-Q3": (date(2026, 7, 1), date(2026, 9, 30)),
}
Rows = dict[int, tuple[int, int]]
"""Key -> (number, secret)."""
_UNITS = ("A", "B", "A")
"""Whose a row is, by its number: it moves when that changes."""
_OFFICES = ("S", None, "A")
OWNERS = {f"feed_{unit.lower()}_{os.getpid()}": unit for unit in "ABS"}
"""Logins of two communes and a department -> whose rows they read. Roles belong to the server."""


@dataclass
class Small:
    """A warehouse of two datasets whose submissions are written as staging leaves them; what was seen at each publish."""

    url: str
    connection: psycopg.Connection
    sent: int = 0
    truth: dict[int, Told] = field(default_factory=dict)
    own: dict[str, dict[int, Told]] = field(default_factory=lambda: {login: {} for login in OWNERS})
    """Login -> what its own views showed at each publish."""
    owners: dict[str, psycopg.Connection] = field(default_factory=dict)
    erased: dict[int, int] = field(default_factory=dict)
    """Entity -> the last publish that erased it."""

    def remember(self) -> None:
        row = self.connection.execute("select publish from mart_v1.feed_position").fetchone()
        assert row is not None
        self.truth[row[0]] = _seen(self.connection, [*CONTRACTS])
        for login, connection in self.owners.items():
            self.own[login][row[0]] = _seen(connection, [*CONTRACTS], "own_")

    def same(self, copy: Copy, truth: dict[int, Told]) -> bool:
        """Whether a copy is what was seen at its publish, but for whom a later one erased."""
        later = {entity for entity, number in self.erased.items() if number > copy.position.publish}
        seen, told = truth[copy.position.publish], _told(copy, [*CONTRACTS])
        return all(
            {row: n for row, n in seen[d].items() if json.loads(row)["entity_id"] not in later}
            == {row: n for row, n in told[d].items() if json.loads(row)["entity_id"] not in later}
            for d in CONTRACTS
        )

    def erase(self, which: int) -> None:
        """An entity is erased, as a person is: it is told, and its versions go."""
        found = self.connection.execute("select distinct entity_id from core.places order by 1").fetchall()
        if not found:
            return
        entity = found[which % len(found)][0]
        with publishing(self.connection), self.connection.transaction():
            number = tell_erased(self.connection, {_PLACE: {entity}})
            self.connection.execute("delete from core.places where entity_id = %s", [entity])
        for login, connection in self.owners.items():
            told = connection.execute(
                "select dataset, entity_id, operation, valid_from, valid_to, key, data from mart_v1.own_change_feed "
                "where publish = %s",
                [number],
            ).fetchall()
            saw = any(
                json.loads(row)["entity_id"] == entity for seen in self.own[login].values() for row in seen[_PLACE]
            )
            assert told == ([(_PLACE, entity, "erase", None, None, None, None)] if saw else [])
        self.erased[entity] = number
        self.remember()

    def say(self, dataset: str, sender: str, quarter: str, rows: Rows, units: Sequence[str] = _UNITS) -> None:
        self.sent += 1
        first, last = QUARTERS[quarter]
        given = {
            "id": f"s{self.sent}", "at": datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=self.sent), "rows": len(rows),
            "dataset": dataset, "sender": sender, "period": quarter, "first": first, "last": last,
            "keys": [*rows], "numbers": [n for n, _ in rows.values()], "secrets": [s for _, s in rows.values()],
            "units": [*units], "offices": [*_OFFICES],
        }  # fmt: skip
        with self.connection.transaction():
            self.connection.execute(
                "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, state) "
                "values (%(id)s, %(id)s, 0, %(sender)s, %(period)s, '', '', %(at)s, 'read')",
                given,
            )
            self.connection.execute(
                "with s as (insert into intake.submission (submission_id, delivery_id, dataset, sender, period, period_first, "
                "period_last, as_of, as_of_source, received_at, sha256, content, file_name, state, rows_read, rows_accepted) "
                "values (%(id)s, %(id)s, %(dataset)s, %(sender)s, %(period)s, %(first)s, %(last)s, %(last)s, 'period', %(at)s, "
                "%(id)s, %(id)s, '', 'staged', %(rows)s, %(rows)s) returning submission_no), "
                "a as (insert into intake.assessment (submission_no, contract_version, rule_set, reference_version, layout, "
                "rows_accepted) select submission_no, '1', '1', '1', '[]', %(rows)s from s returning assessment_no), "
                f"r as (insert into staging.{dataset} (_assessment, _sheet, _row, _key, _value, _ok, k, n, secret, unit, office) "
                "select assessment_no, 0, i.no, i.k, i.n * 1000 + i.s, true, 'k' || i.k, i.n, 's' || i.s, "
                "(%(units)s::text[])[i.n %% cardinality(%(units)s) + 1], (%(offices)s::text[])[i.n %% 3 + 1] from a, "
                "unnest(%(keys)s::int[], %(numbers)s::int[], %(secrets)s::int[]) with ordinality i (k, n, s, no)) select 1",
                given,
            )
            self.connection.execute(
                "update intake.submission u set assessment_no = a.assessment_no from intake.assessment a "
                "where a.submission_no = u.submission_no and u.assessment_no is null"
            )

    def publish(self) -> None:
        with publishing(self.connection):
            publish(self.connection, prepare(self.connection, [*CONTRACTS.values()]))
        self.remember()

    def abandon(self) -> None:
        """A publisher dies with its work done and not shown."""
        with closing(psycopg.connect(self.url, autocommit=True)) as connection, publishing(connection):
            prepare(connection, [*CONTRACTS.values()])

    def back_to(self, which: int) -> None:
        numbers = sorted(self.truth)
        back_to(self.connection, numbers[which % len(numbers)])
        self.remember()

    def some(self, state: str, which: int) -> str | None:
        rows = self.connection.execute(
            "select submission_id from intake.submission where state = any (%s) order by submission_no", [state.split()]
        ).fetchall()
        return rows[which % len(rows)][0] if rows else None


@pytest.fixture(scope="module")
def small_template(copies: Copies) -> Iterator[World]:
    world = copies.new()
    with closing(psycopg.connect(world.pipeline.url, autocommit=True)) as connection:
        with connection.transaction():
            for contract in CONTRACTS.values():
                sync(connection, contract)
            sync_feed(connection, CONTRACTS)
        for login, unit in OWNERS.items():
            role = "department" if unit == "S" else "commune"
            connection.execute(f"create role {login} login in role lienthong_{role}")  # type: ignore[call-overload]
            connection.execute(
                "insert into ops.access (login, role, unit, purpose, legal_ground, valid_until, granted_by) "
                "values (%s, %s, %s, 'x', 'y', now() + interval '1 day', 'An')",
                [login, role, unit],
            )
    yield world
    with closing(psycopg.connect(world.url, autocommit=True)) as connection:
        for login in OWNERS:
            connection.execute(f"drop role {login}")  # type: ignore[call-overload]


@contextmanager
def _small(copies: Copies, template: World, *, own: bool = False) -> Iterator[Small]:
    world = copies.of(template)
    with ExitStack() as stack:
        connections = {
            login: stack.enter_context(closing(psycopg.connect(url, autocommit=True)))
            for login, url in (
                ("", world.url),
                *((o, world.url.replace("postgres@", f"{o}@")) for o in (OWNERS if own else ())),
            )
        }
        small = Small(world.url, connections.pop(""), owners=connections)
        small.remember()
        yield small
    copies.drop(world)


_rows = st.dictionaries(st.integers(1, 5), st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=5)
_say = st.tuples(
    st.just("say"), st.sampled_from([_PLACE, _SUM]), st.sampled_from("xy"), st.sampled_from([*QUARTERS]), _rows
)
_which = st.integers(0, 7)
_step = st.one_of(
    _say,
    _say,
    st.tuples(st.just("publish")),
    st.tuples(st.just("publish")),
    st.tuples(st.sampled_from(["back", "withdraw", "accept", "erase"]), _which),
    st.tuples(st.just("abandon")),
    st.tuples(st.just("read"), st.integers(1, 5)),
    st.tuples(st.just("join"), _which),
)


@settings(max_examples=14)
@given(st.lists(_step, min_size=6, max_size=22))
def test_snapshot_and_feed_are_the_warehouse_at_every_publish(
    copies: Copies, small_template: World, steps: list[tuple[Any, ...]]
) -> None:
    with (
        _small(copies, small_template, own=True) as small,
        closing(psycopg.connect(small.url, autocommit=True)) as reader,
    ):
        datasets = [*CONTRACTS]

        def catch_up(copy: Copy, limit: int) -> None:
            _catch_up(reader, copy, limit, lambda: _same(small, copy, small.truth))

        slow, quick = _begin(reader, datasets), _begin(reader, datasets)
        late: list[Copy] = []
        mine = [(login, _begin(connection, datasets, own=True)) for login, connection in small.owners.items()]
        for kind, *more in [*steps, ("publish",)]:
            match kind:
                case "say":
                    small.say(*more)
                case "publish":
                    small.publish()
                    catch_up(quick, 3)
                case "back":
                    small.back_to(more[0])
                case "erase":
                    small.erase(more[0])
                case "withdraw" if name := small.some("accepted superseded held", more[0]):
                    withdraw(small.connection, name, reason="gửi nhầm", by="thử")
                case "accept" if name := small.some("held", more[0]):
                    decide(small.connection, name, accept=True, reason="đã xác minh", by="thử")
                case "abandon":
                    small.abandon()
                case "read":  # one page, wherever it ends
                    slow.apply(changes(reader, slow.position, limit=more[0]))
                    login, copy = mine[more[0] % len(OWNERS)]
                    copy.apply(changes(small.owners[login], copy.position, limit=more[0], own=True))
                case "join":
                    numbers = sorted(small.truth)
                    number = numbers[more[0] % len(numbers)]
                    late.append(_begin(reader, datasets, number))
                    _same(small, late[-1], small.truth)
                    login = [*OWNERS][more[0] % len(OWNERS)]
                    mine.append((login, _begin(small.owners[login], datasets, number, own=True)))
                    _same(small, mine[-1][1], small.own[login])
        for copy in (slow, quick, *late):
            catch_up(copy, 4)
            assert _told(copy, datasets) == _seen(reader, datasets)
        for login, copy in mine:
            whole = partial(_same, small, copy, small.own[login])
            _catch_up(small.owners[login], copy, 3, whole, own=True)
            assert _told(copy, datasets) == _seen(small.owners[login], datasets, "own_")
        assert not changes(reader, quick.position).changes
        _has_no_secret(reader)
        for connection in small.owners.values():
            _has_no_secret(connection, "own_")


def _same(small: Small, copy: Copy, truth: dict[int, Told]) -> None:
    assert small.same(copy, truth)


def _has_no_secret(connection: psycopg.Connection, prefix: str = "") -> None:
    rows = connection.execute(
        f"select operation, key, data, sequence, changes from mart_v1.{prefix}change_feed"  # type: ignore[arg-type]
    ).fetchall()
    columns = {"entity_id", "k", "n", "unit", "office", "valid_from", "valid_to", "carried_since"}
    for operation, key, data, sequence, count in rows:
        assert sequence <= count and (key is None if operation == "erase" else set(key) == {"k"})
        assert (data is None) == (operation in ("delete", "erase"))
        assert data is None or set(data) == columns


def test_what_changes_only_in_what_nobody_sees_is_no_change(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template) as small:
        small.say(_SUM, "x", "2026-Q1", {1: (1, 0), 2: (1, 0)})
        small.publish()
        begun = feed.position(small.connection)
        small.say(_SUM, "x", "2026-Q1", {1: (1, 1), 2: (2, 0)})
        small.publish()
        page = changes(small.connection, begun)
        assert [(c.operation, c.key, c.data and c.data["n"]) for c in page.changes] == [("update", {"k": "k2"}, 2)]
        assert page.position == feed.position(small.connection)
        # and a publish that changes nothing for readers moves the position alone
        small.say(_SUM, "x", "2026-Q1", {1: (1, 0), 2: (2, 1)})
        small.publish()
        page = changes(small.connection, page.position)
        assert page.changes == [] and page.position.publish == begun.publish + 2 and not page.more


def test_who_comes_too_late_is_told(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template) as small:
        begun = feed.position(small.connection)
        for n in range(3):
            small.say(_SUM, "x", "2026-Q1", dict.fromkeys(range(1, 6), (n, 0)))
            small.publish()
        middle = changes(small.connection, begun, limit=7).position
        assert middle == Position(begun.feed, 2, 2) and Position.parse(str(middle)) == middle
        small.connection.execute("update core.publish set published_at = now() - interval '400 days' where number <= 2")
        assert forget(small.connection, datetime.now(UTC) - timedelta(days=365)) == (2, 10)
        assert forget(small.connection, datetime.now(UTC) - timedelta(days=365)) == (2, 0)
        for gone in (begun, middle):
            with pytest.raises(CannotFollow, match="goes back to publish 2 only; take a snapshot"):
                changes(small.connection, gone)
        assert len(changes(small.connection, Position(begun.feed, 2)).changes) == 5
        # what is taken out of the feed is not taken out of the warehouse
        copy = _begin(small.connection, [_SUM], at=1)
        assert {r.data["n"] for r in copy.rows(_SUM)} == {0}
        with pytest.raises(CannotFollow, match="the newest publish is 3"):
            changes(small.connection, Position(begun.feed, 4))
        small.connection.execute("update core.feed set feed = gen_random_uuid()")
        with pytest.raises(CannotFollow, match="restored"):
            changes(small.connection, Position(begun.feed, 3))
        for wrong in ({"datasets": ["secrets"]}, {"at": 99}):
            with pytest.raises(CannotFollow), snapshot(small.connection, **wrong):  # type: ignore[arg-type]
                pass


def test_a_gap_is_noticed(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template) as small:
        begun = feed.position(small.connection)
        for n in range(3):
            small.say(_SUM, "x", "2026-Q1", dict.fromkeys(range(1, 4), (n, 0)))
            small.publish()
        whole = changes(small.connection, begun, limit=100)
        for damage in (
            "sequence = 1 and publish = 1",
            "sequence = 2 and publish = 2",
            "sequence = 3 and publish = 1",
            "publish = 2",
        ):
            with small.connection.transaction(force_rollback=True), closing(psycopg.connect(small.url)) as other:
                other.execute(f"delete from core.change where {damage}")  # type: ignore[arg-type]
                other.commit()
            with pytest.raises(CannotFollow, match="a change is missing"):
                changes(small.connection, begun, limit=100)
            with small.connection.cursor() as cursor:
                cursor.executemany(
                    "insert into core.change values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
                    [
                        (c.publish, c.sequence, c.dataset, c.entity_id, c.operation, c.valid_from, c.valid_to)
                        for c in whole.changes
                    ],
                )
        assert changes(small.connection, begun, limit=100) == whole


def test_a_follower_is_woken_by_a_publish(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template) as small, closing(psycopg.connect(small.url, autocommit=True)) as reader:
        # it would look by itself only long after this test has failed
        pages = follow(reader, feed.position(reader), limit=2, look_every=3600)
        small.say(_SUM, "x", "2026-Q1", dict.fromkeys(range(1, 6), (1, 0)))
        small.publish()
        found = [next(pages) for _ in range(3)]
        assert [len(p.changes) for p in found] == [2, 2, 1] and found[-1].position.sequence is None
        small.back_to(0)  # published while it looks elsewhere: the notification waits for it
        assert [len(next(pages).changes) for _ in range(3)] == [2, 2, 1]


def test_a_day_s_changes_are_read_by_an_index(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template) as small:
        rows = dict.fromkeys(range(1, 20001), (1, 0))
        small.say(_SUM, "x", "2026-Q1", rows)
        small.publish()
        small.say(_SUM, "x", "2026-Q1", dict.fromkeys(rows, (2, 0)))
        small.publish()
        page = "select * from mart_v1.change_feed where {} order by publish, sequence limit {}"
        small.connection.execute("set plan_cache_mode = force_generic_plan")  # as the reader does
        reader = page.format("(publish, sequence) > ($1, $2)", "$3")
        small.connection.execute(f"prepare reader (bigint, bigint, bigint) as {reader}")  # type: ignore[call-overload]
        places = ("publish > 1", "(publish, sequence) > (1, 500)", "(publish, sequence) > (2, 19000)")
        for analyzed in (False, True):  # a great publish may be read before anything was analysed
            if analyzed:
                small.connection.execute("analyze")
            for asked in (*(page.format(place, 1000) for place in places), "execute reader (1, 500, 1000)"):
                plan = small.connection.execute(f"explain (format json) {asked}").fetchone()  # type: ignore[call-overload]
                assert plan is not None
                nodes = list(_nodes(plan[0][0]["Plan"]))
                scans = {n.get("Relation Name"): n for n in nodes if "Scan" in n["Node Type"]}
                assert scans["change"]["Index Name"] == "change_pkey", asked
                assert scans[_SUM]["Index Name"] == f"{_SUM}_core_entity", asked
                assert not any("Sort" in n["Node Type"] for n in nodes if _SUM in str(n) or "change" in str(n)), asked


def test_a_page_of_one_s_own_costs_what_one_has(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template, own=True) as small:
        units = [f"U{n}" for n in range(1, 100)] + ["B"]
        small.say(_SUM, "x", "2026-Q1", {k: (k % 100, 0) for k in range(1, 20001)}, units)
        small.publish()
        reader = next(c for login, c in small.owners.items() if OWNERS[login] == "B")
        for analyzed in (False, True):
            if analyzed:
                small.connection.execute("analyze")
            plan = reader.execute(
                "explain (analyze, format json, timing off) select * from mart_v1.own_change_feed "
                "where (publish, sequence) > (0, 0) order by publish, sequence limit 1000"
            ).fetchone()
            assert plan is not None
            nodes = list(_nodes(plan[0][0]["Plan"]))
            read = {n["Relation Name"]: n for n in nodes if "Relation Name" in n and n["Actual Loops"]}
            for table in ("change_owner", "change", _SUM):
                assert read[table]["Node Type"].startswith(("Index", "Bitmap Heap")), (table, read[table])
                assert read[table]["Actual Rows"] * read[table]["Actual Loops"] == 200, table
        mine = changes(reader, Position(feed.position(reader).feed, 0), own=True).changes
        assert {c.data["unit"] for c in mine if c.data is not None} == {"B"} and len(mine) == 200
        change = next(c for c in mine if c.key == {"k": "k799"})
        # it goes to another: gone, as it was, and nothing is said of what it became
        small.say(_SUM, "x", "2026-Q1", {k: (98 if k == 799 else k % 100, 0) for k in range(1, 20001)}, units)
        small.publish()
        (left,) = changes(reader, Position(feed.position(reader).feed, 1), own=True).changes
        assert (left.operation, left.key, left.data, left.valid_to) == ("delete", {"k": "k799"}, None, change.valid_to)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def test_apps_read_the_feed_and_nothing_beneath(copies: Copies, small_template: World) -> None:
    with _small(copies, small_template) as small:
        small.say(_PLACE, "x", "2026-Q1", {1: (1, 0)})
        small.publish()
        begun = Position(feed.position(small.connection).feed, 0)
        with closing(psycopg.connect(small.url, autocommit=True)) as app:
            app.execute(f"set role {APP}")  # type: ignore[arg-type]
            copy = _begin(app, [*CONTRACTS], at=0)
            assert copy.rows(_PLACE) == []
            copy.apply(changes(app, begun))
            assert _told(copy, [*CONTRACTS]) == _seen(small.connection, [*CONTRACTS])
            assert next(follow(app, begun)).position == copy.position
            for query in (
                "select * from core.change",
                "select * from core.places_at(1)",
                "select * from core.places_touched(0, 1)",
                "select core.shows_at(1)",
                "select * from core.feed",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(query)  # type: ignore[arg-type]
        with closing(psycopg.connect(small.url, autocommit=True)) as nobody:
            nobody.execute("create role feed_nobody nologin")
            nobody.execute("grant usage on schema mart_v1 to feed_nobody")
            nobody.execute("set role feed_nobody")
            try:
                for query in ("select * from mart_v1.change_feed", "select * from mart_v1.feed_snapshot('places', 1)"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        nobody.execute(query)  # type: ignore[arg-type]
            finally:
                nobody.execute("reset role")
                nobody.execute("drop owned by feed_nobody")
                nobody.execute("drop role feed_nobody")


# --- the whole flow -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0])
def test_datasets_and_indicators_of_real_runs(seed: int, copies: Copies, world: World) -> None:
    random = Random(seed)
    files = random.sample(FILES, len(FILES))
    truth: dict[int, Told] = {}
    with closing(psycopg.connect(world.url, autocommit=True)) as reader:
        datasets = [r[0] for r in reader.execute("select dataset from mart_v1.feed_datasets")]
        assert {"villages", "staff", "kpi_evaluations", INDICATORS} <= set(datasets)

        def remember() -> None:
            truth[feed.position(reader).publish] = _seen(reader, datasets)

        def same(copy: Copy) -> None:
            assert _told(copy, datasets) == truth[copy.position.publish]

        remember()
        slow, quick = _begin(reader, datasets), _begin(reader, datasets)
        while files:
            for file in [files.pop() for _ in range(min(len(files), random.randint(2, 4)))]:
                _drop(world, file)
            world.run()
            remember()
            for name in _held(world):
                _with(world, lambda c, n=name: decide(c, n, accept=random.random() < 0.7, reason="vội", by="thử"))
            if random.random() < 0.5:
                _catch_up(reader, quick, 50, partial(same, quick))
            if random.random() < 0.6:
                _with(world, lambda c: back_to(c, random.choice(sorted(truth))))
                remember()
            slow.apply(changes(reader, slow.position, limit=random.randint(1, 400)))
        _with(world, lambda c: withdraw(c, random.choice(sorted(_ids(world).values())), reason="gửi nhầm", by="thử"))
        world.run()
        remember()
        assert sum(truth[max(truth)][INDICATORS].values()) > 500 and truth[max(truth)]["villages"]
        for copy in (quick, slow, *(_begin(reader, datasets, at) for at in random.sample(sorted(truth), 2))):
            assert _catch_up(reader, copy, 333, partial(same, copy)) or copy.position == feed.position(reader)
            assert _told(copy, datasets) == _seen(reader, datasets)
    copies.drop(world)
