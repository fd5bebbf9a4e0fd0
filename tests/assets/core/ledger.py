"""A small world for tests of the merge: submissions put straight into the ledger and staging, and an oracle.

The oracle evaluates history point by point, one entity, sender and day at a time, in plain Python: another formulation
than the set-based SQL, so that both being wrong in the same way is unlikely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from assets.core.standing import Decision, Staged, derive
from schemas.contract import Column, Contract
from schemas.periods import Period, parse_period

FOREVER = date(9999, 1, 1)


def contract(delivery: str, **more: Any) -> Contract:
    """A dataset 'things': text key k, number v."""
    columns = (
        Column("k", "Khóa", "string", "name", required=True, key_position=1),
        Column("v", "Số", "integer", "integer", required=True),
    )
    more = {"valid_time": "asOf", "max_ended_share": 1.0, "max_bad_share": 1.0} | more
    valid_time = more.pop("valid_time")
    return Contract("things", "1.0.0", "", "", columns, (), delivery, valid_time, "all", "quarter", **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sent:
    """A submission of the test: ``rows`` key -> (value, fit for the warehouse). The value is v, or of a wider dataset a tuple
    of all its columns in their order."""

    no: int
    sender: str
    period: str
    hour: int
    rows: dict[str, tuple[Any, bool]]
    unkeyed: int = 0
    content: str = ""

    @property
    def span(self) -> Period:
        return parse_period(self.period)

    @property
    def received_at(self) -> datetime:
        return datetime(2026, 8, 1, tzinfo=UTC) + timedelta(hours=self.hour)

    @property
    def bytes(self) -> str:
        return self.content or f"content-{self.no}"

    def staged(self) -> Staged:
        good = sum(ok for _, ok in self.rows.values())
        return Staged(
            self.no, f"S{self.no}", self.sender, self.period, self.span.first, self.span.last, self.span.last,
            self.received_at, self.bytes, self.no, good, len(self.rows) - good + self.unkeyed, self.unkeyed,
        )  # fmt: skip


KEYS = {k: n for n, k in enumerate("abcdefgh", 1)}


def put(
    connection: psycopg.Connection, sent: Sent, dataset: str = "things", columns: Sequence[str] = ("k", "v")
) -> None:
    """Write a submission as staging leaves it. Its numbers are not its order: they come from the sequence."""
    name = dataset
    places = ", ".join(["%s"] * len(columns))
    good = sum(ok for _, ok in sent.rows.values())
    bad = len(sent.rows) - good + sent.unkeyed
    with connection.transaction():
        connection.execute(
            "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, state) "
            "values (%s, %s, 0, %s, %s, 'f', 'f', %s, 'read')",
            [f"D{sent.no}", sent.bytes, sent.sender, sent.period, sent.received_at],
        )
        row = connection.execute(
            "insert into intake.submission (submission_id, delivery_id, dataset, sender, period, period_first, period_last, as_of, "
            "as_of_source, received_at, sha256, content, file_name, state, rows_read, rows_accepted, rows_quarantined) values "
            "(%s, %s, %s, %s, %s, %s, %s, %s, 'period', %s, %s, %s, 'f', 'staged', %s, %s, %s) returning submission_no",
            [
                f"S{sent.no}", f"D{sent.no}", dataset, sent.sender, sent.period, sent.span.first, sent.span.last, sent.span.last,
                sent.received_at, sent.bytes, sent.bytes, good + bad, good, bad,
            ],
        ).fetchone()  # fmt: skip
        assert row is not None
        assessment = connection.execute(
            "insert into intake.assessment (submission_no, contract_version, rule_set, reference_version, layout, rows_accepted, "
            "rows_quarantined, unkeyed) values (%s, '1', '1', '1', '[]', %s, %s, %s) returning assessment_no",
            [row[0], good, bad, sent.unkeyed],
        ).fetchone()
        assert assessment is not None
        connection.execute(
            "update intake.submission set assessment_no = %s where submission_no = %s", [assessment[0], row[0]]
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                f"insert into staging.{name} (_assessment, _sheet, _row, _key, _value, _ok, {', '.join(columns)}) "
                f"values (%s, 0, %s, %s, %s, %s, {places})",
                [
                    (assessment[0], n, KEYS[k], _hash(k, v), ok, *_row(k, v, ok))
                    for n, (k, (v, ok)) in enumerate(sorted(sent.rows.items()), 2)
                ],
            )


def _hash(key: str, value: Any) -> int:
    if isinstance(value, int):
        return KEYS[key] * 1000 + value
    return int(hashlib.md5(repr((key, value)).encode()).hexdigest()[:15], 16)


def _row(key: str, value: Any, ok: bool) -> tuple[Any, ...]:
    if isinstance(value, int):
        return key, value if ok else None
    return value if ok else (key, *[None] * (len(value) - 1))


def wipe(connection: psycopg.Connection, dataset: str = "things") -> None:
    """Empty the ledger, staging and core between examples."""
    name = dataset
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")  # what may only be added to refuses it
        connection.execute(
            f"truncate intake.delivery, intake.submission, intake.assessment, intake.decision, intake.closing, staging.{name}, "
            f"staging.verdict, core.{name}, core.conflict, core.standing, core.pair_difference restart identity cascade"
        )
        connection.execute("set local session_replication_role = origin")
        connection.execute("delete from core.publish where number > 0")
        connection.execute("update core.pointer set shows = 0")


Version = tuple[str, date, date | None, int, date | None]


def history(connection: psycopg.Connection) -> list[Version]:
    """What readers see: (key, from, to, value, carried since)."""
    rows = connection.execute(
        "select k, valid_from, valid_to, v, carried_since from mart_v1.things_history order by 1, 2"
    )
    return [tuple(r) for r in rows]  # type: ignore[misc]


def _later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = (date(day.year + year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(day.year + year, month + 1, min(day.day, last))


Word = tuple[Any, bool, date, int]
"""(value, carried, as-of of the last word, its rank in the order of receipt)."""


@dataclass(frozen=True)
class Closing:
    """A period closed, or opened again, at an hour."""

    kind: str
    period: str
    hour: int

    @property
    def at(self) -> datetime:
        return datetime(2026, 8, 1, tzinfo=UTC) + timedelta(hours=self.hour)


def closed_at(closings: Iterable[Closing], period: str) -> datetime | None:
    """Since when a period is closed, told one after the other; a close does nothing where it is closed already, and of two words
    of one moment the reopening is the last."""
    since: datetime | None = None
    for c in sorted(closings, key=lambda c: (c.hour, c.kind == "reopen")):
        if c.period == period:
            since = None if c.kind == "reopen" else since or c.at
    return since


def words(
    contract: Contract, sent: Sequence[Sent], decisions: Iterable[Decision], closings: Sequence[Closing] = ()
) -> tuple[list[date], Callable[[str, str, date], Word | None]]:
    """Days between which nothing changes, and what a sender asserts about a key on a day."""
    by_no = {s.no: s for s in sent}

    def ended(before: Staged, after: Staged) -> tuple[int, int]:
        gone = by_no[before.no].rows.keys() - by_no[after.no].rows.keys()
        return len(gone), len(by_no[before.no].rows)

    staged = [replace(s.staged(), closed_at=closed_at(closings, s.period)) for s in sent]
    standings = {s.no: s for s in derive(contract, staged, list(decisions), ended)}
    order = sorted(sent, key=lambda s: (s.received_at, s.bytes, f"S{s.no}"))
    rank = {s.no: n for n, s in enumerate(order)}
    days = {s.span.first for s in sent} | {s.span.last + timedelta(days=1) for s in sent}
    if contract.valid_time != "period":
        days |= {s.span.last for s in sent}
    if contract.stale_after_months:
        days |= {_later(s.span.last, contract.stale_after_months) for s in sent}

    def word(key: str, sender: str, day: date) -> Word | None:
        last: Any = None
        found: Word | None = None
        mine = [s for s in sent if s.sender == sender and standings[s.no].standing == "in_force"]
        for s in sorted(mine, key=lambda s: (s.span.last, rank[s.no])):
            if contract.valid_time == "period":
                if not s.span.contains(day):
                    continue
            elif s.span.last > day:
                break
            if key not in s.rows:
                if contract.delivery == "snapshot" and not standings[s.no].ends_nobody:
                    found = None
                continue
            value, ok = s.rows[key]
            if not ok:
                shadows = [
                    o for o in sent
                    if o.sender == sender and o.period == s.period and standings[o.no].standing == "superseded"
                    and o.rows.get(key, (0, False))[1]
                ]  # fmt: skip
                if shadows:
                    last = max(shadows, key=lambda o: rank[o.no]).rows[key][0]
            else:
                last = value
            if last is not None:
                found = (last, not ok, s.span.last, rank[s.no])
        if found and contract.stale_after_months and day >= _later(found[2], contract.stale_after_months):
            return None
        return found

    return sorted(days), word


def oracle(
    contract: Contract, sent: Sequence[Sent], decisions: Iterable[Decision], closings: Sequence[Closing] = ()
) -> list[Version]:
    """The history that these submissions and decisions mean."""
    bounds, word = words(contract, sent, decisions, closings)
    senders = sorted({s.sender for s in sent})
    apart = contract.valid_time == "period"  # each period's value is a fact of its own

    def chosen(key: str, day: date) -> tuple[int, bool] | None:
        said = [(w, s) for s in senders if (w := word(key, s, day)) is not None]
        if not said:
            return None

        def best(item: tuple[Word, str]) -> tuple[int, int, int]:
            (_, _, as_of, n), sender = item
            listed = contract.precedence.index(sender) if sender in contract.precedence else 99
            return (listed, -as_of.toordinal(), -n)

        w, _ = min(said, key=best)
        return w[0], w[1]

    versions: list[Version] = []
    for key in sorted({k for s in sent for k in s.rows}):
        current: list[Any] | None = None
        for start, end in zip(bounds, [*bounds[1:], FOREVER], strict=True):
            state = chosen(key, start)
            if (
                current is not None
                and state is not None
                and current[3] == state[0]
                and current[2] == start
                and not apart
            ):
                current[2] = end
                current[4] = None if not state[1] else current[4] or start
                continue
            if current is not None:
                versions.append(tuple(current))  # type: ignore[arg-type]
            current = None if state is None else [key, start, end, state[0], start if state[1] else None]
        if current is not None:
            versions.append(tuple(current))  # type: ignore[arg-type]
    return [(k, a, None if b == FOREVER else b, v, c) for k, a, b, v, c in versions]
