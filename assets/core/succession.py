"""Succession: what came of organisations and villages that were merged, split or renamed (``core.succession``).

Here: which predecessors the rows in force name, what each such edge is (:data:`KINDS`) and from which day, writing what differs
from the last publish, and cutting what a predecessor's late sender still says at the day on which its successor begins. Not here:
the words of one sender about one entity (``events.sql``), the published view and the function over it
(``schemas/migrations/0007_succession.sql``).

Edges are derived anew from everything in force whenever the dataset changes, so the order of arrival does not matter; a
predecessor that nobody knows is kept without an id, and finds it when it becomes known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from assets.staging.observe import key_hash
from schemas.contract import Contract
from schemas.migrate import quote
from schemas.semantic import polars_type
from schemas.text import fold_one

from .statements import statement

KINDS = ("RENAME", "MERGE", "SPLIT", "PART")
"""One became one; several became one; one became several; only a part of it went there, or there is a part of several."""
_PARTS = re.compile(r"\s*;\s*")
_AND = re.compile(r"\s+(?:và|&|\+)\s+", re.IGNORECASE)
_FORMER = re.compile(r"\s*\(?\b(?:cũ|trước đây)\)?\s*$", re.IGNORECASE)


Known = Mapping[tuple[Any, ...], Mapping[int, tuple[int, str]]]
"""The other key columns -> record -> (its entity, the last value of its key)."""


@dataclass(frozen=True)
class Said:
    """A row that names predecessors: its entity, where it stands, the other key columns, and what it says."""

    entity: int
    place: tuple[int, int, int]
    scope: tuple[Any, ...]
    text: str


def derive(
    connection: psycopg.Connection, contract: Contract, publish: int, look: Callable[[Collection[int]], None]
) -> list[int]:
    """Derive the edges of the dataset and write what differs under the open publish number; both ends of the edges that
    differ, whose history must be derived anew.

    The caller's transaction, with the standings of this publish written. ``look`` fills ``_event`` with what is said about
    entities (``events.sql``).
    """
    said = _said(connection, contract)
    pieces = named(contract, said, _known(connection, contract, {s.scope for s in said}))
    look({s.entity for s in said} | {p[-1] for p in pieces if p[-1] is not None})
    connection.execute(
        "create temporary table _piece (home bigint, sheet smallint, row integer, said text, predecessor_id bigint) "
        "on commit drop"
    )
    columns = [list(c) for c in zip(*pieces, strict=True)] or [[]] * 5
    connection.execute(
        "insert into _piece select * from unnest(%s::bigint[], %s::smallint[], %s::integer[], %s::text[], %s::bigint[])",
        columns,
    )
    connection.execute(statement("succession"))
    row = connection.execute(
        statement("succession_write"), {"dataset": contract.dataset, "publish": publish}
    ).fetchone()
    connection.execute("drop table _piece, _edge")
    return list(row[0]) if row is not None and row[0] is not None else []


def cut(connection: psycopg.Connection, contract: Contract) -> None:
    """End the spans of predecessors in ``_span`` where their successors begin, but for senders that assert them after that day."""
    connection.execute(statement("succession_cut"), {"dataset": contract.dataset})


def differences(connection: psycopg.Connection, contract: Contract, publish: int) -> int:
    """How many edges began or ended under a publish number."""
    row = connection.execute(
        "select count(*) from core.succession where dataset = %s and %s in (publish_from, publish_to)",
        [contract.dataset, publish],
    ).fetchone()
    return int(row[0]) if row else 0


def _said(connection: psycopg.Connection, contract: Contract) -> list[Said]:
    assert contract.succeeds is not None
    scope = [f"r.{quote(c)}" for c in contract.key[:-1]]
    query = statement(
        "succession_said",
        rows=quote(contract.dataset + "_rows"),
        succeeds=quote(contract.succeeds),
        scope=", ".join(["null", *scope]),
        **_entities(contract),
    )
    rows = connection.execute(query, {"dataset": contract.dataset})
    return [Said(r[0], (r[1], r[2], r[3]), tuple(r[6:]), r[4]) for r in rows]


def _entities(contract: Contract) -> dict[str, str]:
    """SQL over a row ``r``: whose it is (entity), whose its key is (record), and what these are joined from (members)."""
    if not contract.identity:
        return {"entity": "r._key", "record": "r._key", "members": "", "own": "true"}
    members = (
        "left join core.link l on l.assessment_no = r._home and l.sheet = r._sheet and l.row = r._home_row "
        "and l.publish_to is null "
        "left join core.member m on m.dataset = %(dataset)s and m.record = r._key and m.publish_to is null"
    )
    record = "coalesce(m.entity_id, r._key)"
    return {"entity": f"coalesce(l.entity_id, {record})", "record": record, "members": members, "own": "l.row is null"}


def named(contract: Contract, said: Sequence[Said], known: Known) -> list[tuple[int, int, int, str, int | None]]:
    """(place of the row, what it names, its id where somebody knows it), for each predecessor that each row names.

    Raises nothing for names that cannot be read: they are nobody's."""
    if not said:
        return []
    texts_ = {(s.scope, text) for s in said for text in _names(s.text)}
    ids = _ids(contract, sorted(texts_, key=repr))
    found: list[tuple[int, int, int, str, int | None]] = []
    for s in said:
        texts: list[str] = []
        named_like_several = ids.get((s.scope, s.text)) in known.get(s.scope, {})
        for text in [s.text] if named_like_several else _PARTS.split(s.text):
            whole = ids.get((s.scope, text)) in known.get(s.scope, {})
            texts += [text] if whole else _AND.split(text)
        for text in dict.fromkeys(t for t in texts if t):
            entity = _resolved(contract, text, ids.get((s.scope, text)), known.get(s.scope, {}))
            if entity != s.entity:
                found.append((*s.place, text, entity))
    return found


def _names(text: str) -> Iterable[str]:
    """All that may be a name in a cell: all of it, its parts, and what 'và' joins."""
    yield text
    for part in _PARTS.split(text):
        if part:
            yield part
            yield from (p for p in _AND.split(part) if p)


def _ids(contract: Contract, named: Sequence[tuple[tuple[Any, ...], str]]) -> dict[tuple[tuple[Any, ...], str], int]:
    """The id that an entity with that last key value has, known or not."""
    if not named:
        return {}
    columns = {
        name: pl.Series([scope[n] for scope, _ in named], dtype=polars_type(contract.column(name)))
        for n, name in enumerate(contract.key[:-1])
    }
    last = contract.column(contract.key[-1])
    texts = [text.upper() if last.options.get("upper") else text for _, text in named]
    columns[last.name] = pl.Series(texts, dtype=pl.String).cast(polars_type(last), strict=False)
    return {
        key: int(i) for key, i in zip(named, key_hash(contract, pl.DataFrame(columns)), strict=True) if i is not None
    }


def _known(connection: psycopg.Connection, contract: Contract, scopes: Collection[tuple[Any, ...]]) -> Known:
    """The records that something in force speaks of."""
    scope = contract.key[:-1]
    query = statement(
        "succession_known",
        rows=quote(contract.dataset + "_rows"),
        last=quote(contract.key[-1]),
        scope=", ".join(["null", *(f"r.{quote(c)}" for c in scope)]),
        first=f"r.{quote(scope[0])}" if scope else "null",
        **_entities(contract),
    )
    wanted = sorted({str(s[0]) for s in scopes}) if scope else []
    found: dict[tuple[Any, ...], dict[int, tuple[int, str]]] = {}
    for row in connection.execute(query, {"dataset": contract.dataset, "first": wanted}):
        found.setdefault(tuple(row[4:]), {})[row[0]] = (row[1], row[2])
    return found


def _resolved(contract: Contract, text: str, exact: int | None, known: Mapping[int, tuple[int, str]]) -> int | None:
    """The known entity that a text names: by its key, else the only one whose name differs by its type or accents alone."""
    if exact is not None and exact in known:
        return known[exact][0]
    types = _type_words(contract)
    wanted = _bare(_FORMER.sub("", text), types)
    same = {entity for entity, name in known.values() if _bare(name, types) == wanted}
    return same.pop() if len(same) == 1 and wanted else None


def _type_words(contract: Contract) -> list[str]:
    """Spellings of the dataset's code lists, longest first: 'Thôn' in 'Thôn Suối Cát' is the type of Suối Cát."""
    words = {fold_one(t) for c in contract.columns for e in c.enum for t in (e.label, *e.synonyms)}
    return sorted(words - {""}, key=len, reverse=True)


def _bare(text: str, types: Sequence[str]) -> str:
    folded = fold_one(text)
    for word in types:
        if folded.startswith(f"{word} "):
            return folded.removeprefix(f"{word} ")
    return folded
