"""Trace: from a published value back to sender, submission, file, sheet and cell (law 3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from assets.staging.observe import key_hash
from schemas.contract import Column, Contract
from schemas.grid import address_of
from schemas.migrate import quote
from schemas.semantic import polars_type

_SQL = (Path(__file__).parent / "trace.sql").read_text(encoding="utf-8")


class NotFound(Exception):
    """Nothing answers to what was asked for; the text names the key columns to give."""


@dataclass(frozen=True)
class Version:
    """One version of an entity as published, and the rows that assert it.

    ``sources``: submission_id, sender, period, as_of, origin, file_name, sheet (name), row, cells (column -> 'B17', or
    'sender' where the form has no such column), standing. Where no row says all of it, because several senders speak of the
    entity, each source has the cells of those columns only whose value it gives.
    """

    entity_id: int
    valid_from: date
    valid_to: date | None
    carried_since: date | None
    values: dict[str, Any]
    sources: list[dict[str, Any]]


def shown_at(connection: psycopg.Connection, known_at: datetime | None) -> int:
    """The publish number that readers saw at a time (now: None); raises :class:`NotFound` before the first. Numbers say what came
    after what: a clock that was put back gives a later publish an earlier time."""
    if known_at is None:
        row = connection.execute("select shows from core.pointer").fetchone()
    else:
        row = connection.execute(
            "select shows from core.publish where state = 'published' and published_at <= %s "
            "order by number desc limit 1",
            [known_at],
        ).fetchone()
    if row is None:
        raise NotFound("nothing had been published at that time")
    return int(row[0])


Find = Callable[[list[str]], Mapping[str, int]]
"""Clear values of the vault -> the subjects of those that are known."""


def entity_id(contract: Contract, key: Mapping[str, str], find: Find | None = None) -> int:
    """The id of the record with these key values; raises :class:`NotFound` where a key column is not given.

    ``find`` is asked for the subjects of values that are kept in the vault."""
    missing = [c for c in contract.key if c not in key]
    if missing:
        raise NotFound(f"{contract.dataset} is found by {', '.join(contract.key)}; missing: {', '.join(missing)}")
    values = pl.DataFrame({c: _key_value(contract.column(c), key[c], find) for c in contract.key})
    found = key_hash(contract, values)[0]
    if found is None:
        raise NotFound(f"{contract.dataset}: a key value is blank")
    return int(found)


def _key_value(column: Column, text: str, find: Find | None) -> pl.Series:
    if not column.vaulted:
        return pl.Series([text], dtype=pl.String).cast(polars_type(column))
    subject = find([text]).get(text) if find is not None else None
    if subject is None:
        raise NotFound(f"nobody has this {column.name}")
    return pl.Series([subject], dtype=pl.Int64)


def resolved(connection: psycopg.Connection, contract: Contract, entity: int, shows: int) -> int:
    """The entity that an id stands for at a publish: itself, or the one that it was joined to, so that old ids go on answering."""
    row = connection.execute(
        "select entity_id from core.member where dataset = %(dataset)s and record = %(id)s "
        "and publish_from <= %(shows)s and (publish_to is null or publish_to > %(shows)s)",
        {"dataset": contract.dataset, "id": entity, "shows": shows},
    ).fetchone()
    return int(row[0]) if row is not None else entity


def trace(
    connection: psycopg.Connection,
    contract: Contract,
    entity: int,
    *,
    at: date | None = None,
    known_at: datetime | None = None,
) -> list[Version]:
    """Versions of the entity as known at a time (all of them, or the one valid on ``at``), each with its sources."""
    shows = shown_at(connection, known_at)
    entity = resolved(connection, contract, entity, shows)
    with connection.cursor(row_factory=dict_row) as cursor:
        found = versions_of(cursor, contract, entity, shows, at)
        if not found:
            raise NotFound(f"{contract.dataset}: no such entity was published")
        return [_version(cursor, contract, v, shows) for v in found]


def versions_of(
    cursor: psycopg.Cursor[dict[str, Any]], contract: Contract, entity: int, shows: int, at: date | None = None
) -> list[dict[str, Any]]:
    """Versions of an entity at a publish, in the order of their time: all, or the one valid on ``at``; none where there is none."""
    columns = ", ".join(quote(c.name) for c in contract.columns)
    return cursor.execute(
        f"select entity_id, valid_from, valid_to, carried_since, publish_from, {columns} from core.{quote(contract.dataset)} "
        "where entity_id = %(entity)s and publish_from <= %(shows)s and (publish_to is null or publish_to > %(shows)s) "
        "and (%(at)s::date is null or (valid_from <= %(at)s and (valid_to is null or valid_to > %(at)s))) order by valid_from",
        {"entity": entity, "shows": shows, "at": at},
    ).fetchall()


def _version(cursor: psycopg.Cursor[dict[str, Any]], contract: Contract, row: dict[str, Any], shows: int) -> Version:
    return Version(
        row["entity_id"],
        row["valid_from"],
        row["valid_to"],
        row["carried_since"],
        {c.name: row[c.name] for c in contract.columns},
        _sources(contract, candidates(cursor, contract, row, shows)),
    )


def candidates(
    cursor: psycopg.Cursor[dict[str, Any]],
    contract: Contract,
    version: Mapping[str, Any],
    shows: int,
    every: bool = False,
) -> list[dict[str, Any]]:
    """Rows that the version (entity_id, valid_from, publish_from) may come from: what a source has, ``layout`` for its cells,
    ``within`` (its own time), ``whole`` (it says all), ``told`` (the columns whose value it has), ``value`` (hash).

    ``every``: also rows that say something else.
    """
    told = ", ".join(
        f"case when r.{quote(c.name)} = v.{quote(c.name)} then {sql.Literal(c.name).as_string(None)} end"
        for c in contract.columns
    )
    return cursor.execute(
        _SQL.format(name=quote(contract.dataset), rows=quote(contract.dataset + "_rows"), told=told),
        {
            "entity": version["entity_id"],
            "valid_from": version["valid_from"],
            "publish_from": version["publish_from"],
            "shows": shows,
            "dataset": contract.dataset,
            "all": every,
            "any_time": contract.valid_time != "asOf",
        },
    ).fetchall()


def _sources(contract: Contract, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if whole := [row for row in found if row["whole"]]:
        return [source(contract, row) for row in _timely(whole)]
    # composed: each column has sources of its own
    origins = {c.name: _timely([row for row in found if c.name in row["told"]]) for c in contract.columns}
    return [source(contract, row, told) for row in found if (told := [c for c, rows in origins.items() if row in rows])]


def _timely(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that speak of the version's own time; where none does, the last before it."""
    last = max((row["as_of"] for row in rows), default=None)
    return [row for row in rows if row["within"]] or [row for row in rows if row["as_of"] == last]


_OWN = ("layout", "within", "whole", "told", "value")


def source(contract: Contract, row: Mapping[str, Any], columns: Collection[str] | None = None) -> dict[str, Any]:
    """A candidate as a source of these columns (None: of all)."""
    layout: dict[str, Any] = next(
        (lay for lay in row["layout"] if lay["sheet"] == row["sheet"]), {"name": "", "columns": {}}
    )
    letters = layout["columns"]
    cells = {}
    for column in contract.columns:
        if columns is None or column.name in columns:
            letter = letters.get(column.source)
            cells[column.name] = address_of(letter, row["row"]) if letter else (column.default_from or "")
    shown = {name: value for name, value in row.items() if name not in _OWN}
    return {**shown, "sheet": layout["name"], "cells": cells}
