"""Why a value stands: for each column of an entity on a day, whose value it is, by which rule, and what the others say.

Found by the steps of the merge itself, for one entity and as of a publish, in a transaction that is rolled back. What it shows
may be personal: it is for stewards (the caller gives a mask where the reader may not see a value).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from schemas.contract import Column, Contract
from schemas.vietnam import VIETNAM

from .merge import asserted
from .statements import statement
from .survivorship import words
from .trace import NotFound, candidates, resolved, shown_at, source, versions_of

Mask = Callable[[Column, Any], Any]
"""(column, value) -> what may be shown of it."""


@dataclass(frozen=True)
class Said:
    """What one sender says of one column. ``source``: submission_id, period, origin, file_name, sheet, row and cell ('B17', or
    'sender' where the form has no such column), empty where its row is no longer found; ``carried``: its last row could not be
    read, and this is its value from before; ``agrees``: with the value that stands."""

    sender: str
    value: Any
    as_of: date
    carried: bool
    agrees: bool
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """Why one column has its value.

    ``since``: the day from which it has had it without a break. ``rule``: 'only sender', 'all agree', 'no value', else the
    first by which it stands before another (``survivorship.RULES``); 'as published' where the rules of today no longer say
    so, with the value's sources. ``disputed_since``: the first day of the conflict, if there is one.
    """

    attribute: str
    label: str
    value: Any
    since: date
    rule: str
    chosen: Said | None
    others: tuple[Said, ...]
    disputed_since: date | None = None


@dataclass(frozen=True)
class Explanation:
    """One entity on one day, as readers of publish ``shows`` saw it."""

    dataset: str
    entity_id: int
    at: date
    shows: int
    valid_from: date
    valid_to: date | None
    carried_since: date | None
    key: dict[str, Any]
    reasons: tuple[Reason, ...]


def why(
    connection: psycopg.Connection,
    contract: Contract,
    entity: int,
    *,
    at: date | None = None,
    known_at: datetime | None = None,
    mask: Mask | None = None,
) -> Explanation:
    """Why the entity's version that is valid on ``at`` says what it says, as it was known at a time.

    Without ``at``: the version of today, else the last one. Raises :class:`NotFound` where there is none.
    """
    shows = shown_at(connection, known_at)
    entity = resolved(connection, contract, entity, shows)
    versions = _versions(connection, contract, entity, shows)
    day, nth = _on(contract, versions, at)
    version = versions[nth]
    with connection.transaction(force_rollback=True):
        said, rows = _said(connection, contract, entity, day, shows)
    with connection.cursor(row_factory=dict_row) as cursor:
        found = candidates(cursor, contract, version, shows, every=True)
    disputes: dict[str, date] = dict(
        connection.execute(
            "select attribute, since from core.conflict where dataset = %(dataset)s and entity_id = %(entity)s "
            "and valid_from <= %(day)s and (valid_to is null or valid_to > %(day)s) "
            "and publish_from <= %(shows)s and (publish_to is null or publish_to > %(shows)s)",
            {"dataset": contract.dataset, "entity": entity, "day": day, "shows": shows},
        ).fetchall()
    )
    reasons = []
    for column in contract.columns:
        spoken = [(s, rows[s["_n"]]) for s in said if s["attribute"] == column.name and s["given"]]
        reason = _reason(contract, column, version, spoken, found, day)
        since, since_dispute = _since(versions, nth, column.name), disputes.get(column.name)
        reason = replace(reason, since=since, disputed_since=since_dispute)
        reasons.append(_masked(reason, column, mask) if mask is not None else reason)
    by_name = {r.attribute: r for r in reasons}
    return Explanation(
        contract.dataset,
        entity,
        day,
        shows,
        version["valid_from"],
        version["valid_to"],
        version["carried_since"],
        {name: by_name[name].value for name in contract.key},
        tuple(reasons),
    )


def _versions(connection: psycopg.Connection, contract: Contract, entity: int, shows: int) -> list[dict[str, Any]]:
    synced = connection.execute("select 1 from ops.contract where dataset = %s", [contract.dataset]).fetchone()
    found: list[dict[str, Any]] = []
    if synced is not None:
        with connection.cursor(row_factory=dict_row) as cursor:
            found = versions_of(cursor, contract, entity, shows)
    if not found:
        raise NotFound(
            f"{contract.dataset}: no such entity was published; `lienthong trace` finds entities by their key"
        )
    return found


def _on(contract: Contract, versions: Sequence[Mapping[str, Any]], at: date | None) -> tuple[date, int]:
    """(day, number of the version that is valid on it)."""
    day = at or datetime.now(VIETNAM).date()
    for n, v in enumerate(versions):
        if v["valid_from"] <= day and (v["valid_to"] is None or v["valid_to"] > day):
            return day, n
    if at is None:
        return versions[-1]["valid_from"], len(versions) - 1
    spans = ", ".join(f"{v['valid_from']} to {v['valid_to'] or 'now'}" for v in versions[-5:])
    raise NotFound(f"{contract.dataset}: the entity has no version on {at}; give a day within {spans}")


def _said(
    connection: psycopg.Connection, contract: Contract, entity: int, day: date, shows: int
) -> tuple[list[dict[str, Any]], dict[int, dict[str, Any]]]:
    """What live senders say of each column, best first; and their rows, by number."""
    names = asserted(connection, contract, entity, shows)
    connection.execute("create temporary table _several on commit drop as select entity_id from _touched")
    given = words(connection, contract, names)
    with connection.cursor(row_factory=dict_row) as cursor:
        text = statement("why_said", **given)
        said = cursor.execute(text, {"day": day}).fetchall()
        rows = cursor.execute(
            "select * from _word where _at <= %(day)s and (_until is null or _until > %(day)s)", {"day": day}
        ).fetchall()
    return said, {row["_n"]: row for row in rows}


def _reason(
    contract: Contract,
    column: Column,
    version: Mapping[str, Any],
    spoken: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
    found: Sequence[Mapping[str, Any]],
    day: date,
) -> Reason:
    """The reason of one column, of what is given of its unit, best first."""
    value = version[column.name]
    stands = spoken[0] if spoken else None
    if (stands[1][column.name] if stands else None) != value:
        return _as_published(contract, column, value, found)
    form = stands[0]["form"] if stands else None

    def told(one: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Said:
        word = one[1]
        agrees = one[0]["form"] == form
        where = _source(contract, column, word, found, day)
        return Said(word["_sender"], word[column.name], word["_as_of"], word["_carried"], agrees, where)

    others = [one for one in spoken[1:] if one[0]["form"] is not None]
    rival = next((s for s, _ in others if s["form"] != form), None)
    if rival is not None and stands is not None:
        pairs = zip(stands[0]["keys"], rival["keys"], stands[0]["rules"], strict=True)
        rule = next((name for mine, theirs, name in pairs if mine != theirs), "sender")
    elif stands is None or form is None:
        rule = "no value"
    else:
        rule = "all agree" if others else "only sender"
    chosen = told(stands) if stands is not None and form is not None else None
    return Reason(column.name, column.label, value, day, rule, chosen, tuple(map(told, others)))


def _source(
    contract: Contract, column: Column, word: Mapping[str, Any], found: Sequence[Mapping[str, Any]], day: date
) -> dict[str, Any]:
    """Where a sender's word stands: the last of its rows until the day that says the same."""
    mine = [r for r in found if r["sender"] == word["_sender"] and r["value"] == word["_value"]]
    before = [r for r in mine if r["as_of"] <= day] or mine
    if not before:
        return {}
    best = max(before, key=lambda r: (r["standing"] == "in_force", r["as_of"], r["received_at"]))
    return _place(contract, column, best)


def _place(contract: Contract, column: Column, row: Mapping[str, Any]) -> dict[str, Any]:
    full = source(contract, row, [column.name])
    wanted = ("submission_id", "period", "origin", "file_name", "sheet", "row")
    return {**{name: full[name] for name in wanted}, "cell": full["cells"][column.name]}


def _as_published(contract: Contract, column: Column, value: Any, found: Sequence[Mapping[str, Any]]) -> Reason:
    told = [
        Said(r["sender"], value, r["as_of"], False, True, _place(contract, column, r))
        for r in found
        if column.name in r["told"]
    ]
    return Reason(
        column.name, column.label, value, date.min, "as published", told[0] if told else None, tuple(told[1:])
    )


def _since(versions: Sequence[Mapping[str, Any]], nth: int, name: str) -> date:
    """The first day of the unbroken run of versions up to this one that have its value."""
    value = versions[nth][name]
    while nth and versions[nth - 1]["valid_to"] == versions[nth]["valid_from"] and versions[nth - 1][name] == value:
        nth -= 1
    found: date = versions[nth]["valid_from"]
    return found


def _masked(reason: Reason, column: Column, mask: Mask) -> Reason:
    def shown(said: Said) -> Said:
        return replace(said, value=mask(column, said.value))

    return replace(
        reason,
        value=mask(column, reason.value),
        chosen=shown(reason.chosen) if reason.chosen else None,
        others=tuple(map(shown, reason.others)),
    )
