"""Cells that name an organisation in place of its code: which organisation is meant, derived from the staged set.

Here: gathering them from a dataset that refers to organisations (``relationships`` of its contract), asking the linkage, and
writing what it found: ``core.mention``, and where the code is part of the key ``core.link``, since only then is it known whose the
row is. Not here: how names are compared (:mod:`.linkage.units`), what a merge makes of a row (``found_by_record.sql``).

Cleaning does not guess: which organisations there are changes with every list. So the code is put in when the history is derived,
from all staged lists of organisations, whatever they stand for (docs/decisions/0010). What cannot be told is a doubt about
organisations: one decision counts for every row of that sender that says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import polars_hash as plh
import psycopg

from assets.staging.observe import key_hash
from schemas.contract import Column, Contract
from schemas.migrate import quote
from schemas.semantic import polars_type

from . import units
from .decided import identity_decisions
from .differences import Told, write_differences
from .linkage.naming import PROVINCE
from .linkage.units import UNITS, link_units
from .statements import statement

_PLACE = {"assessment_no": pl.Int64, "sheet": pl.Int16, "row": pl.Int32}
_RAW = {"sender": pl.String, "place": pl.String, **_PLACE, "name": pl.String, "cured": pl.Boolean}


@dataclass
class Mentioned:
    """What came of it: whether the dataset has any, what it was derived from, how many rows of the tables differ from the last
    publish, the entities that gained or lost something; by assessment how many of its rows are known though their key was not
    read, and how many speak that would not."""

    any: bool = False
    mark: str = ""
    differences: int = 0
    entities: frozenset[int] = frozenset()
    present: Mapping[int, int] = field(default_factory=dict)
    cured: Mapping[int, int] = field(default_factory=dict)


def references(contract: Contract, others: Mapping[str, Contract]) -> list[tuple[Column, Contract]]:
    """Columns with the code of a unit of another dataset, and that dataset's contract."""
    found = []
    for column in contract.columns:
        target, _, key = (column.references or "").partition(".")
        other = others.get(target)
        if other is None or other.dataset == contract.dataset or not other.identity or other.identity_kind != "unit":
            continue
        if (
            other.key == (key,)
            and column.semantic_type == "code"
            and not (contract.identity and column.name in contract.key)
        ):
            found.append((column, other))
    return found


def rows_of(
    connection: psycopg.Connection, contract: Contract, column: Column, assessments: Collection[int]
) -> pl.DataFrame:
    """sender, place, assessment_no, sheet, row, name, cured, record of the rows that name what ``column`` should hold the code of;
    the place is :data:`~.linkage.naming.PROVINCE` where neither row nor sender has a commune."""
    named = column.options.get("namedBy")
    commune = next((c.name for c in contract.columns if c.semantic_type == "commune_code"), None)
    query = statement(
        "mention_rows",
        name=quote(contract.dataset),
        column=quote(column.name),
        named=f"o.{quote(named)}" if named else "null::text",
        place=f"o.{quote(commune)}" if commune else "null::text",
        wrong="left join" if named else "join",
    )
    parameters = {"assessments": list(assessments), "column": column.name, "curable": list(units.CURABLE)}
    rows = pl.DataFrame(connection.execute(query, parameters).fetchall(), _RAW, orient="row")
    rows = rows.with_columns(pl.col("place").fill_null(PROVINCE))
    return rows.with_columns(record=units.record_of("mention", rows["name"], rows.select("sender", "place")))


def derive(
    connection: psycopg.Connection,
    contract: Contract,
    others: Mapping[str, Contract],
    assessments: Mapping[str, Collection[int]],
    publish: int,
) -> Mentioned:
    """Derive which organisations the rows of a dataset name and write the differences under the open publish number.

    ``assessments``: of the dataset and of those that it refers to, by dataset: staged and not taken back. The caller's transaction.
    """
    found = references(contract, others)
    if not found:
        return Mentioned()
    run = f"{contract.dataset}/mentions"
    decisions = {t.dataset: identity_decisions(connection, t.dataset) for _, t in found}
    told = (
        hashlib.sha256(units.ARTEFACT.read_bytes()).hexdigest(),
        sorted(assessments[contract.dataset]),
        [(t.dataset, sorted(assessments[t.dataset]), sorted(decisions[t.dataset].iter_rows())) for _, t in found],
    )
    mark = hashlib.sha256(repr(told).encode()).hexdigest()[:32]
    row = connection.execute(
        "select fingerprint from core.identity_run where dataset = %s and publish_to is null", [run]
    ).fetchone()
    entities, differences = frozenset[int](), 0
    if row is None or row[0] != mark:
        entities, differences = _write(connection, contract, found, assessments, decisions, publish)
        connection.execute(
            "update core.identity_run set publish_to = %s where dataset = %s and publish_to is null", [publish, run]
        )
        connection.execute(
            "insert into core.identity_run (dataset, fingerprint, publish_from) values (%s, %s, %s)",
            [run, mark, publish],
        )
    counts = connection.execute(
        statement("mention_counts", name=quote(contract.dataset)), {"dataset": contract.dataset}
    ).fetchall()
    return Mentioned(
        bool(counts) or differences > 0,
        mark,
        differences,
        entities,
        {r[0]: r[1] for r in counts},
        {r[0]: r[2] for r in counts},
    )


def _write(
    connection: psycopg.Connection,
    contract: Contract,
    found: list[tuple[Column, Contract]],
    assessments: Mapping[str, Collection[int]],
    decisions: Mapping[str, pl.DataFrame],
    publish: int,
) -> tuple[frozenset[int], int]:
    """Write mentions, links and doubts; the entities touched and how many rows differ."""
    mentions, links, doubts = [], [], []
    for column, target in found:
        rows = rows_of(connection, contract, column, assessments[contract.dataset])
        if rows.is_empty():
            continue
        resolved, asked = _resolved(connection, target, assessments[target.dataset], decisions[target.dataset], rows)
        cells = resolved.with_columns(column_name=pl.lit(column.name))
        mentions.append(cells.select(list(_MENTION)))
        doubts.append(asked.with_columns(dataset=pl.lit(target.dataset)))
        if column.name in contract.key:
            links.append(_links(connection, contract, column, resolved))
    place = "o._assessment = t.assessment_no and o._sheet = t.sheet and o._row = t.row"
    whose = f"(select o._key from staging.{quote(contract.dataset)} o where {place})"
    told: set[int] = set()
    count = 0
    written = [("mention", mentions, _MENTION, Told(f"{whose}, null, assessment_no"), {"dataset": contract.dataset})]
    if not contract.identity:
        written.append(("link", links, _LINK, Told("entity_id, null, assessment_no"), {"dataset": contract.dataset}))
    written += [
        ("doubt", [d.drop("dataset") for d in doubts if d["dataset"].first() in (target, None)], _DOUBT, Told(),
         {"dataset": target, "origin": contract.dataset})
        for target in {t.dataset for _, t in found}
    ]  # fmt: skip
    for table, frames, schema, returning, of in written:
        wanted = pl.concat([f.select(list(schema)) for f in frames]) if frames else pl.DataFrame(schema=schema)
        entities, rows_ = write_differences(
            connection, table, wanted.unique(maintain_order=True), publish, returning, of
        )
        told |= entities
        count += rows_
    return frozenset(told), count


_FOUND: dict[str, Any] = {"rule": pl.String, "weight": pl.Float64, "fields": pl.String}
_MENTION: dict[str, Any] = {"column_name": pl.String, **_PLACE, "record": pl.Int64, "code": pl.String, "salt": pl.Int64, **_FOUND,
                            "cured": pl.Boolean}  # fmt: skip
_LINK: dict[str, Any] = {
    **_PLACE,
    "record": pl.Int64,
    **_FOUND,
    "cured": pl.Boolean,
    "entity_id": pl.Int64,
    "keyed": pl.Boolean,
}
_DOUBT: dict[str, Any] = {"why": pl.String, "weight": pl.Float64, "fields": pl.String, "left_record": pl.Int64,
                          "right_record": pl.Int64}  # fmt: skip


def _resolved(
    connection: psycopg.Connection,
    target: Contract,
    assessments: Collection[int],
    decisions: pl.DataFrame,
    rows: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``rows`` of which the unit is known, with its code, and the doubts about the others."""
    known = units.keyed_records(connection, target, assessments)
    asking = (
        rows.filter(pl.col("record").is_not_null())
        .group_by("record", maintain_order=True)
        .agg(pl.col("name", "place").last())
        .with_columns(
            keyed=pl.lit(False), registered=pl.lit(2**62, pl.Int64), lists=pl.lit([], pl.List(pl.Int64)),
            **{c: pl.lit(None, pl.String) for c in ("type", "parent", "code")},
        )
        .select(list(UNITS))
    )  # fmt: skip
    linked = link_units(pl.concat([known, asking]), decisions, communes=units.communes(connection))
    roots = linked.links["root"].unique().to_list()
    key = quote(target.key[0])
    codes = connection.execute(
        f"select _key, min({key}) from staging.{quote(target.dataset)} where _key = any (%s) group by 1", [roots]
    ).fetchall()
    coded = pl.DataFrame(codes, {"root": pl.Int64, "code": pl.String}, orient="row")
    salted = coded.with_columns(
        salt=coded.select(plh.col("code").nchash.xxh3_64().reinterpret(signed=True)).to_series()
    )
    resolved = rows.join(linked.links.join(salted, on="root"), on="record", maintain_order="left")
    mine = asking["record"].implode()
    asked = linked.queue.filter(pl.col("left").is_in(mine) | pl.col("right").is_in(mine)).select(
        "why", "weight", "fields", left_record="left", right_record="right"
    )
    # nothing is judged before there is a list of them
    lost = linked.unmatched.filter(pl.col("record").is_in(mine), pl.lit(known.height > 0)).select(
        why=pl.lit("unmatched"), weight=pl.lit(None, pl.Float64), fields=pl.lit(None, pl.String), left_record="record",
        right_record=pl.lit(None, pl.Int64),
    )  # fmt: skip
    return resolved, pl.concat([asked, lost])


def _links(connection: psycopg.Connection, contract: Contract, column: Column, resolved: pl.DataFrame) -> pl.DataFrame:
    """The rows whose key is complete with the code, unless another row of the submission has that key too."""
    others = [contract.column(name) for name in contract.key if name != column.name]
    listed = ", ".join(f"o.{quote(c.name)}" for c in others)
    found = connection.execute(
        f"select o._assessment, o._sheet, o._row{', ' if listed else ''}{listed} "
        "from unnest(%s::bigint[], %s::smallint[], %s::integer[]) as p (a, s, r) "
        f"join staging.{quote(contract.dataset)} o on o._assessment = p.a and o._sheet = p.s and o._row = p.r "
        "where o._key is null",
        [resolved[c].to_list() for c in _PLACE],
    ).fetchall()
    schema = {**_PLACE, **{c.name: pl.Int64 if c.vaulted else polars_type(c) for c in others}}
    values = pl.DataFrame(found, schema, orient="row").join(
        resolved.select(*_PLACE, "rule", "weight", "fields", "cured", pl.col("code").alias(column.name)),
        on=list(_PLACE),
    )
    keyed = values.with_columns(entity_id=key_hash(contract, values)).filter(pl.col("entity_id").is_not_null())
    taken = connection.execute(
        f"select _assessment, _key from staging.{quote(contract.dataset)} where _key = any (%s)",
        [keyed["entity_id"].to_list()],
    ).fetchall()
    there = pl.DataFrame(taken, {"assessment_no": pl.Int64, "entity_id": pl.Int64}, orient="row").unique()
    alone = keyed.join(there, on=["assessment_no", "entity_id"], how="anti", maintain_order="left").filter(
        pl.len().over("assessment_no", "entity_id") == 1
    )
    return alone.with_columns(record="entity_id", keyed=pl.lit(False))
