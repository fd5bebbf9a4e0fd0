"""Identity of organisations and villages: their records, gathered for the linkage, and rows that go by an old name.

Here: what a record of a unit is, where it lies, and which rows speak of a unit that was renamed meanwhile. Not here: how two
records are compared (:mod:`assets.core.linkage.units`), what is written (:mod:`.identity`), the edges of a succession that
readers see (:mod:`.succession`).

A village is renamed where its new name has one predecessor only, that has no other successor, and no list names both from that day
on. Who still writes the old name then means the new one. It is read off the staged set, as everything about identity is
(docs/decisions/0009), so a list that is held may say it too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl
import polars_hash as plh
import psycopg

from schemas.contract import Contract
from schemas.migrate import quote
from schemas.text import fold_one, match_key

from . import succession
from .linkage.joining import Linked
from .linkage.naming import PROVINCE
from .linkage.units import ARTEFACT, UNITS, link_units
from .registry import registered
from .statements import statement

CURABLE = ("MISSING", "BAD_CODE", "TOO_LONG", "DATE_CELL")
"""What may be wrong with the key of a row that was linked for it to speak all the same."""
NOT_RESOLVED = ("AMBIGUOUS_UNIT", "UNKNOWN_UNIT")
"""What is said of a commune that has ended and whose parts went to several, among them maybe the sender's."""
NOWHERE = "?"
"""The place of a row that may be about any commune: nothing is there."""
_ROLES = ("name", "commune", "type", "parent", "code")
_PLACE = {"assessment_no": pl.Int64, "sheet": pl.Int16, "row": pl.Int32}
_OLD_NAMES = {**_PLACE, "cured": pl.Boolean, "record": pl.Int64, "entity_id": pl.Int64}
NO_OLD_NAMES = pl.DataFrame(schema=_OLD_NAMES)
__all__ = [
    "ARTEFACT", "NO_OLD_NAMES", "Found", "communes", "find", "keyed_records", "record_of", "type_words", "unkeyed_rows",
]  # fmt: skip
_EDGE = {"left": pl.Int64, "right": pl.Int64, "day": pl.Date}


@dataclass
class Found:
    """What the linkage found. ``unkeyed``: the rows without a readable key, with ``record``; ``renamed``: assessment_no, sheet,
    row, record, entity_id, cured of rows whose key is an old name of the entity."""

    linked: Linked
    unkeyed: pl.DataFrame
    renamed: pl.DataFrame


def find(
    connection: psycopg.Connection, contract: Contract, assessments: Collection[int], decisions: pl.DataFrame
) -> Found:
    """Who is whom among the rows of ``assessments``."""
    rows, edges = _successions(connection, contract, assessments)
    own = rows.with_columns(entity="key")
    first = renamed(own, edges) if contract.joins else own.clear()
    keyed = keyed_records(connection, contract, assessments, first)
    unkeyed = unkeyed_rows(connection, contract, assessments)
    records = pl.concat([keyed, _grouped(unkeyed)])
    linked = link_units(
        records,
        decisions,
        edges.select("left", "right"),
        communes=communes(connection),
        types=type_words(contract) if contract.joins else {},
        joining=contract.joins,
    )
    if not contract.joins:
        return Found(linked, unkeyed, NO_OLD_NAMES)
    roots = linked.members.select("record", "root")
    whose = _whose(rows, "key", roots).rename({"root": "entity"})
    ends = _whose(_whose(edges, "left", roots).drop("left").rename({"root": "left"}), "right", roots)
    ends = ends.drop("right").rename({"root": "right"}).select(list(_EDGE)).filter(pl.col("left") != pl.col("right"))
    return Found(linked, unkeyed, _old_names(renamed(whose, ends)))


def communes(connection: psycopg.Connection) -> pl.DataFrame:
    """code, name (with its type) of the communes that send."""
    rows = connection.execute(
        "select distinct on (commune_code) commune_code, name from core.sender where kind = 'commune' order by 1, 2"
    )
    return pl.DataFrame(rows.fetchall(), {"code": pl.String, "name": pl.String}, orient="row")


def type_words(contract: Contract) -> dict[str, str]:
    """Folded words that stand before a name and say its type -> the type, from the code list of the type."""
    if "type" not in contract.identity:
        return {}
    listed = contract.column(contract.identity["type"]).enum
    words = {fold_one(word): e.value for e in listed for word in (e.value, e.label, *e.synonyms)}
    return {word: value for word, value in words.items() if word}


# --- records --------------------------------------------------------------------------------------------------------


def _roles(contract: Contract) -> str:
    return ", ".join(
        f"o.{quote(contract.identity[role])} as {role}" if role in contract.identity else f"null::text as {role}"
        for role in _ROLES
    )


def keyed_records(
    connection: psycopg.Connection, contract: Contract, assessments: Collection[int], old: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Records with a key, in as many rows as they have names; they are registered in the order of their receipt. ``old``: rows
    (home, sheet, row) whose key is an old name of an ``entity``."""
    if old is None:
        old = pl.DataFrame(schema={"home": pl.Int64, "sheet": pl.Int16, "row": pl.Int32, "entity": pl.Int64})
    cursor = connection.execute(
        statement("unit_keyed", rows=quote(contract.dataset + "_rows"), roles=_roles(contract)),
        {
            "assessments": list(assessments),
            **{f"{name}s": old[name].to_list() for name in ("home", "sheet", "row")},
            "entities": old["entity"].to_list(),
        },
    )
    schema: dict[str, Any] = {
        "record": pl.Int64,
        "lists": pl.List(pl.Int64),
        "first": pl.String,
        **dict.fromkeys(_ROLES, pl.String),
    }
    found = pl.DataFrame(cursor.fetchall(), schema, orient="row")
    order = registered(connection, contract, found["record"].unique(maintain_order=True))
    return found.with_columns(
        keyed=pl.lit(True),
        registered=pl.col("record").replace_strict(order, return_dtype=pl.Int64) if order else pl.lit(0, pl.Int64),
        place=pl.col("commune").fill_null(PROVINCE),
    ).select(list(UNITS))


def unkeyed_rows(connection: psycopg.Connection, contract: Contract, assessments: Collection[int]) -> pl.DataFrame:
    """Rows without a readable key: where they stand, submission, cured, what they say, and ``record``: null where nothing but its
    place tells a row from others, or where its cells may have been shifted."""
    cursor = connection.execute(
        statement("unit_unkeyed", name=quote(contract.dataset), roles=_roles(contract)),
        {
            "assessments": list(assessments),
            "keys": list(contract.key),
            "curable": list(CURABLE),
            "units": list(NOT_RESOLVED),
        },
    )
    schema: dict[str, Any] = {
        "sender": pl.String, "own": pl.String, **_PLACE, "submission": pl.Int64, "cured": pl.Boolean,
        "at_home": pl.Boolean, "told": pl.Boolean, **dict.fromkeys(_ROLES, pl.String),
    }  # fmt: skip
    rows = pl.DataFrame(cursor.fetchall(), schema, orient="row")
    if contract.identity["commune"] in contract.key:
        elsewhere = pl.when("at_home").then("own").otherwise(pl.lit(NOWHERE))
    else:
        elsewhere = pl.col("own").fill_null(PROVINCE)
    rows = rows.with_columns(place=pl.coalesce("commune", elsewhere))
    said = ("sender", "place", "type", "parent", "code")
    named = rows["name"].set(~rows["told"], None)
    return rows.with_columns(record=record_of(contract.dataset, named, rows.select(said)))


def record_of(kind: str, names: pl.Series, said: pl.DataFrame) -> pl.Series:
    """The number of a record without a key: of its name and of what else it says (as texts), null without a name."""
    parts = said.with_columns(match_key(names).alias("_name")).fill_null("")
    text = plh.concat_str(pl.lit(kind), pl.lit("record"), *parts.columns, separator="\x1f")
    hashed = (text.nchash.xxh3_64() & pl.lit(0x7FFF_FFFF_FFFF_FFFF, dtype=pl.UInt64)).cast(pl.Int64)
    found: pl.Series = parts.select(record=pl.when(names.is_not_null()).then(hashed)).to_series()
    return found


def _grouped(unkeyed: pl.DataFrame) -> pl.DataFrame:
    """One record for all rows that are the same one."""
    return (
        unkeyed.filter(pl.col("record").is_not_null())
        .group_by("record", maintain_order=True)
        .agg(pl.col("name", "place", "type", "parent", "code").last(), lists=pl.col("submission").unique().sort())
        .with_columns(keyed=pl.lit(False), registered=pl.lit(2**62, pl.Int64))
        .select(list(UNITS))
    )


# --- old names ------------------------------------------------------------------------------------------------------


def _successions(
    connection: psycopg.Connection, contract: Contract, assessments: Collection[int]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows with a key (key, home, sheet, row, assessment_no, cured, sender, day), and edges between keys: left was succeeded by
    right, as a list of that day says."""
    names = {"key": pl.Int64, "home": pl.Int64, "sheet": pl.Int16, "row": pl.Int32, "assessment_no": pl.Int64,
             "cured": pl.Boolean, "sender": pl.String, "day": pl.Date}  # fmt: skip
    if contract.succeeds is None:
        return pl.DataFrame(schema=names), pl.DataFrame(schema=_EDGE)
    scope = contract.key[:-1]
    query = statement(
        "unit_succession",
        rows=quote(contract.dataset + "_rows"),
        succeeds=quote(contract.succeeds),
        last=quote(contract.key[-1]),
        scope=", ".join(["null", *(f"o.{quote(c)}" for c in scope)]),
    )
    found = connection.execute(query, {"assessments": list(assessments)}).fetchall()
    rows = pl.DataFrame([r[:8] for r in found], names, orient="row")
    naming = [r for r in found if r[8] is not None]
    if not naming:
        return rows, pl.DataFrame(schema=_EDGE)
    known: dict[tuple[Any, ...], dict[int, tuple[int, str]]] = {}
    scopes = {tuple(r[11:]) for r in naming}
    for r in found:
        if tuple(r[11:]) in scopes:
            known.setdefault(tuple(r[11:]), {})[r[0]] = (r[0], r[9])
    days = {(r[1], r[2], r[3]): (r[0], r[7]) for r in naming}
    said = [succession.Said(r[0], (r[1], r[2], r[3]), tuple(r[11:]), r[8]) for r in naming]
    pieces = succession.named(contract, said, known)
    edges = [(p[4], *days[p[0], p[1], p[2]]) for p in pieces if p[4] is not None]
    made = pl.DataFrame(edges, _EDGE, orient="row")
    return rows, made.group_by("left", "right").agg(pl.col("day").min()).sort("left", "right")


def renamed(rows: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Those of ``rows`` (entity, assessment_no, day and more) whose entity goes by an old name, with the ``entity`` of today.

    ``edges``: left, right, day: left was succeeded by right. A chain of names is followed to its end on the row's day."""
    edges = edges.group_by("left", "right").agg(pl.col("day").min())
    alone = edges.filter(pl.len().over("left") == 1, pl.len().over("right") == 1)
    if alone.is_empty():
        return rows.clear()
    first = rows.group_by("entity").agg(first=pl.col("day").min())
    listed = rows.select("entity", "assessment_no").unique()
    together = (
        alone.join(listed, left_on="left", right_on="entity")
        .join(listed, left_on=["right", "assessment_no"], right_on=["entity", "assessment_no"], how="semi")
        .select("left", "right")
    )
    names = (
        alone.join(together, on=["left", "right"], how="anti")
        .join(first.rename({"first": "was_first"}), left_on="left", right_on="entity")
        .join(first, left_on="right", right_on="entity")
        # what was there before the other is no new name for it
        .filter(pl.col("was_first") < pl.col("first"))
        .join(edges.select(left="right", again="day"), on="left", how="left")
        .with_columns(again=pl.when(pl.col("again") > pl.col("first")).then("again"))
        .group_by("left", "right", "first")
        .agg(pl.col("again").min())
    )
    moved = rows.with_columns(was="entity")
    for _ in range(names.height):
        step = moved.join(names, left_on="entity", right_on="left", how="left", maintain_order="left").with_columns(
            goes=(pl.col("day") >= pl.col("first")) & (pl.col("again").is_null() | (pl.col("day") < pl.col("again")))
        )
        if not step["goes"].any():
            break
        moved = step.with_columns(entity=pl.when("goes").then("right").otherwise("entity")).select(moved.columns)
    changed = moved.filter(pl.col("entity") != pl.col("was"))
    return changed.join(listed, on=["entity", "assessment_no"], how="anti", maintain_order="left").drop("was")


def _whose(rows: pl.DataFrame, column: str, roots: pl.DataFrame) -> pl.DataFrame:
    """``root``: the entity of the record in a column."""
    found = rows.join(roots, left_on=column, right_on="record", how="left", maintain_order="left")
    return found.with_columns(pl.col("root").fill_null(pl.col(column)))


def _old_names(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("home") == pl.col("assessment_no")).select(
        *_PLACE, "cured", record="key", entity_id="entity"
    )
