"""Identity: which source records are one entity, where the contract's key alone does not say it.

Here: gathering the records of a dataset, asking the linkage (:mod:`assets.core.linkage`) and writing what differs from the last
publish: members (records that are part of another's entity), links (rows without a readable key whose entity was found) and
doubts (pairs for people, rows that nobody answers to). Not here: how two records are compared, what an entity's values are.

A record is what a source says of one thing under one key: for a keyed row its key, else what makes the row itself when it is sent
again (sender, name, birth, sex and the digits in the cell of the ID), by a subject of the vault. All is a function of the
staged set, the decisions and the model (law 2); only ids depend on which record was registered first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from assets.staging.copy import copy_frame
from assets.staging.vault import RECORD, Vault
from schemas.contract import Contract
from schemas.migrate import quote
from schemas.text import match_key

from . import units
from .decided import identity_decisions
from .linkage import RECORDS, link
from .linkage.model import ARTEFACT
from .registry import registered
from .statements import statement

CURABLE = ("MISSING", "OLD_ID_CARD", "BAD_CITIZEN_ID")
"""What may be wrong with the key of a row that was linked for it to speak all the same. A key that contradicts its own row
(ID_MISMATCH) is never mended: such a row is only present."""
_ROLES = ("name", "born", "sex", "id", "claimed", "card", "commune", "agency")
_TYPES = {"born": pl.Date, "id": pl.Int64, "claimed": pl.Int64, "card": pl.Int64}
_PLACE = {"assessment_no": pl.Int64, "sheet": pl.Int16, "row": pl.Int32}


@dataclass
class Identified:
    """What identity came to: how many rows of its tables differ from the last publish, the entities that gained or lost
    something, and for each assessment how many of its rows without a readable key are known, and how many of these speak."""

    differences: int = 0
    entities: frozenset[int] = frozenset()
    present: Mapping[int, int] = field(default_factory=dict)
    cured: Mapping[int, int] = field(default_factory=dict)


def identify(
    connection: psycopg.Connection,
    contract: Contract,
    assessments: Collection[int],
    publish: int,
    vault: Vault | None,
) -> Identified:
    """Derive who is whom among the rows of ``assessments`` and write the differences under the open publish number.

    The caller's transaction; nothing is looked at where neither rows nor decisions nor the model changed. Persons are found
    with the ``vault`` only.
    """
    decisions = identity_decisions(connection, contract.dataset)
    mark = _fingerprint(contract, assessments, decisions)
    row = connection.execute(
        "select fingerprint from core.identity_run where dataset = %s and publish_to is null", [contract.dataset]
    ).fetchone()
    moved, differences = frozenset[int](), 0
    if row is None or row[0] != mark:
        if contract.identity_kind == "unit":
            found = units.find(connection, contract, assessments, decisions)
        else:
            assert vault is not None
            found = _find_persons(connection, contract, assessments, decisions, vault)
        moved, differences = _write(connection, contract, found, publish)
        connection.execute(
            "update core.identity_run set publish_to = %s where dataset = %s and publish_to is null",
            [publish, contract.dataset],
        )
        connection.execute(
            "insert into core.identity_run (dataset, fingerprint, publish_from) values (%s, %s, %s)",
            [contract.dataset, mark, publish],
        )
    counts = connection.execute(
        "select assessment_no, count(*), count(*) filter (where cured) from core.link "
        "where dataset = %s and publish_to is null and not keyed group by 1",
        [contract.dataset],
    ).fetchall()
    return Identified(differences, moved, {r[0]: r[1] for r in counts}, {r[0]: r[2] for r in counts})


def _find_persons(
    connection: psycopg.Connection,
    contract: Contract,
    assessments: Collection[int],
    decisions: pl.DataFrame,
    vault: Vault,
) -> units.Found:
    keyed = _rows(connection, contract, "identity_keyed", assessments)
    unkeyed = _with_records(_rows(connection, contract, "identity_unkeyed", assessments), vault)
    linked = link(_records(connection, contract, keyed, unkeyed, vault), decisions)
    return units.Found(linked, unkeyed, units.NO_OLD_NAMES)


def _fingerprint(contract: Contract, assessments: Collection[int], decisions: pl.DataFrame) -> str:
    artefact = ARTEFACT if contract.identity_kind == "person" else units.ARTEFACT
    model = hashlib.sha256(artefact.read_bytes()).hexdigest()
    return hashlib.sha256(repr((model, sorted(assessments), sorted(decisions.iter_rows()))).encode()).hexdigest()[:32]


def _rows(connection: psycopg.Connection, contract: Contract, query: str, assessments: Collection[int]) -> pl.DataFrame:
    """Rows of the dataset with a column for each role, and where they stand."""
    roles = ", ".join(
        f"o.{quote(contract.identity[role])} as {role}" if role in contract.identity else f"null as {role}"
        for role in _ROLES
    )
    cursor = connection.execute(
        statement(query, name=quote(contract.dataset), roles=roles),
        {
            "assessments": list(assessments),
            "key": contract.key[0],
            "curable": list(CURABLE),
            "dataset": contract.dataset,
        },
    )
    schema: dict[str, Any] = {
        "record": pl.Int64, "sender": pl.String, **_PLACE, "submission": pl.Int64, "lists": pl.List(pl.Int64),
        "cured": pl.Boolean, **{role: _TYPES.get(role, pl.String) for role in _ROLES},
    }  # fmt: skip
    names = [c.name for c in cursor.description or ()]
    return pl.DataFrame(cursor.fetchall(), schema={n: schema[n] for n in names}, orient="row")


def unkeyed_records(
    connection: psycopg.Connection, contract: Contract, assessments: Collection[int], vault: Vault | None
) -> pl.DataFrame:
    """assessment_no, sheet, row, record of the rows without a readable key that are told from others by what they say; none of
    persons without the ``vault``."""
    if contract.identity_kind == "unit":
        rows = units.unkeyed_rows(connection, contract, assessments)
        return rows.filter(pl.col("record").is_not_null()).select(*_PLACE, "record")
    if vault is None:
        return pl.DataFrame(schema=_PLACE | {"record": pl.Int64})
    rows = _with_records(_rows(connection, contract, "identity_unkeyed", assessments), vault)
    return rows.filter(pl.col("record").is_not_null()).select(*_PLACE, "record")


def _with_records(unkeyed: pl.DataFrame, vault: Vault) -> pl.DataFrame:
    """Rows without a key with the record that each is: null where nothing but its place tells it from others."""
    texts = [
        pl.col("sender"),
        match_key(pl.col("name")),
        *(pl.col(c).cast(pl.String) for c in ("born", "sex", "claimed")),
    ]
    said = unkeyed.select(pl.concat_str([t.fill_null("") for t in texts], separator="|")).to_series()
    named = pl.select(pl.when(unkeyed["name"].is_not_null() | unkeyed["claimed"].is_not_null()).then(said)).to_series()
    return unkeyed.with_columns(record=vault.subjects(named, RECORD))


def _records(
    connection: psycopg.Connection, contract: Contract, keyed: pl.DataFrame, unkeyed: pl.DataFrame, vault: Vault
) -> pl.DataFrame:
    """The records as the linkage wants them; those with a key are registered."""
    listed = contract.delivery == "snapshot"
    # of several rows that are one record the latest says what is known of it
    grouped = (
        unkeyed.filter(pl.col("record").is_not_null())
        .sort(*_PLACE)
        .group_by("record", maintain_order=True)
        .agg(pl.col(*_ROLES).last(), pl.col("submission").unique().sort().alias("lists"))
    )
    both = pl.concat(
        [
            keyed.select("record", *_ROLES, "lists", keyed=pl.lit(True)),
            grouped.select("record", *_ROLES, "lists", keyed=pl.lit(False)),
        ]
    )
    order = registered(connection, contract, keyed["record"])
    numbers = ("id", "claimed", "card")
    revealed = vault.reveal(pl.concat([both[c].rename("number") for c in numbers]))
    clear = {c: revealed.slice(i * both.height, both.height) for i, c in enumerate(numbers)}
    return both.with_columns(
        registered=both["record"].replace_strict(
            list(order), list(order.values()), default=2**62, return_dtype=pl.Int64
        ),
        personal_id=pl.select(pl.when(both["keyed"]).then(clear["id"]).otherwise(clear["claimed"])).to_series(),
        id_card=clear["card"],
        lists=pl.col("lists") if listed else pl.lit([], pl.List(pl.Int64)),
    ).select(list(RECORDS))


def _write(
    connection: psycopg.Connection, contract: Contract, found: units.Found, publish: int
) -> tuple[frozenset[int], int]:
    """Write members, links and doubts; ids of the entities that gained or lost something, and how many rows differ."""
    linked, unkeyed = found.linked, found.unkeyed
    members = linked.members.filter(pl.col("record") != pl.col("root"))
    # by way of records without a number, joined by people, where no pair of keyed records says why
    members = members.select("record", pl.col("rule").fill_null("decision"), "weight", "fields", entity_id="root")
    # a list that has one such record twice does not say which of its rows is meant
    once = unkeyed.filter(pl.col("record").is_not_null(), pl.struct("record", "submission").is_unique())
    links = once.join(linked.links, on="record").select(
        *_PLACE, "record", "rule", "weight", "fields", "cured", entity_id="root", keyed=pl.lit(False)
    )
    old_names = found.renamed.with_columns(
        rule=pl.lit("renamed"), weight=pl.lit(None, pl.Float64), fields=pl.lit(None, pl.String), keyed=pl.lit(True)
    )
    lost = unkeyed.filter(pl.col("record").is_not_null()).join(links.select(*_PLACE), on=list(_PLACE), how="anti")
    asked = linked.queue.select("why", "weight", "fields", left_record="left", right_record="right")
    unmatched = (
        lost.select(left_record="record").unique().sort("left_record")
        .with_columns(
            why=pl.lit("unmatched"), weight=pl.lit(None, pl.Float64), fields=pl.lit(None, pl.String),
            right_record=pl.lit(None, pl.Int64),
        )
    )  # fmt: skip
    doubts = pl.concat([asked, unmatched.select(asked.columns)])
    changed, count = set[int](), 0
    links = pl.concat([links, old_names.select(links.columns)])
    for table, frame in (("member", members), ("link", links), ("doubt", doubts)):
        entities, rows = _differences(connection, contract, table, frame, publish)
        changed |= entities
        count += rows
    return frozenset(changed), count


_TOLD = {
    "member": "entity_id, record, null",
    "link": "entity_id, case when keyed then record end, assessment_no",
    "doubt": "null, null, null",
}
"""Table -> the two entities and the assessment that a row of it is about."""


def _differences(
    connection: psycopg.Connection, contract: Contract, table: str, wanted: pl.DataFrame, publish: int
) -> tuple[set[int], int]:
    """Close the rows of a table that are no longer so and open those that are new; the entities that these name, and how
    many they are."""
    name, listed = f"core.{table}", ", ".join(wanted.columns)
    connection.execute(f"create temporary table _wanted on commit drop as select {listed} from {name} where false")
    copy_frame(
        connection, ("_wanted",), wanted.with_columns(pl.col("fields").fill_null("{}"), pl.col("weight").round(2))
    )
    same = " and ".join(f"w.{c} is not distinct from t.{c}" for c in wanted.columns)
    closed = connection.execute(
        f"update {name} t set publish_to = %s where t.dataset = %s and t.publish_to is null "
        f"and not exists (select from _wanted w where {same}) returning {_TOLD[table]}",
        [publish, contract.dataset],
    ).fetchall()
    opened = connection.execute(
        f"insert into {name} (dataset, {listed}, publish_from) select %s, {listed}, %s from _wanted w "
        f"where not exists (select from {name} t where t.dataset = %s and t.publish_to is null and {same}) "
        f"returning {_TOLD[table]}",
        [contract.dataset, publish, contract.dataset],
    ).fetchall()
    connection.execute("drop table _wanted")
    rows = [*closed, *opened]
    # their senders get another answer
    connection.execute(
        "update intake.submission set announced_state = null where assessment_no = any (%s)",
        [sorted({r[2] for r in rows if r[2] is not None})],
    )
    return {int(n) for r in rows for n in r[:2] if n is not None}, len(rows)
