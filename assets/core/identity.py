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

from assets.staging.vault import RECORD, Vault
from schemas.contract import Contract
from schemas.migrate import quote
from schemas.text import match_key

from . import units
from .decided import identity_decisions
from .differences import Told, write_differences
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
    mentioned: str = "",
) -> Identified:
    """Derive who is whom among the rows of ``assessments`` and write the differences under the open publish number.

    The caller's transaction; nothing is looked at where neither rows nor decisions nor the model changed. Persons are found
    with the ``vault`` only. ``mentioned``: what :mod:`.mentions` was last derived from, which may say that a row is sound.
    """
    decisions = identity_decisions(connection, contract.dataset)
    mark = _fingerprint(contract, assessments, decisions, mentioned)
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


def _fingerprint(contract: Contract, assessments: Collection[int], decisions: pl.DataFrame, mentioned: str) -> str:
    artefact = ARTEFACT if contract.identity_kind == "person" else units.ARTEFACT
    model = hashlib.sha256(artefact.read_bytes()).hexdigest()
    said = (model, mentioned, sorted(assessments), sorted(decisions.iter_rows()))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


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
        of = {"dataset": contract.dataset} | ({"origin": None} if table == "doubt" else {})
        entities, rows = write_differences(connection, table, frame, publish, _TOLD[table], of)
        changed |= entities
        count += rows
    return frozenset(changed), count


_TOLD = {
    "member": Told("entity_id, record, null"),
    "link": Told("entity_id, case when keyed then record end, assessment_no"),
    "doubt": Told(),
}
