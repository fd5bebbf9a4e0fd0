"""Work lists that should be empty: what waits for a person, as readers see the warehouse.

Here: the lists and what stands in them (:data:`LISTS`). Not here: how they are shown (the command), sent out and read back
(:mod:`assets.returns.worklist_book`, the contracts ``*_decisions``), what a decision brings about (the merge). What the rows hold
may be personal and is for those who decide; :attr:`WorkList.place` says where something waits without any of it. Numbers of
identity cards are masked even here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from assets.reference.compare import published_differences
from assets.staging.vault import Vault
from schemas import messages
from schemas.codes import CODES
from schemas.contract import Column, Contract
from schemas.migrate import quote
from schemas.semantic.explain import worded

from . import mentions
from .identity import unkeyed_records
from .linkage.naming import PROVINCE
from .statements import statement

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """What the lists are read from. ``vault``: what tells which record a row without a readable key is; without it, none is
    told."""

    connection: psycopg.Connection
    contracts: Mapping[str, Contract]
    vault: Vault | None = None

    @cached_property
    def shows(self) -> int:
        """The publish that readers see."""
        row = self.connection.execute("select shows from core.pointer").fetchone()
        assert row is not None  # it comes with the migration
        return int(row[0])

    def rows(self, file: str, /, parameters: Mapping[str, Any] | None = None, **parts: str) -> list[Row]:
        """Rows of a query beside this module."""
        text = statement(file, **parts)
        with self.connection.cursor(row_factory=dict_row) as cursor:
            said = {"shows": self.shows, **(parameters or {})}
            return cursor.execute(text.encode(), said).fetchall()


@dataclass(frozen=True)
class WorkList:
    """One list. ``waits`` is English, for those who run the pipeline."""

    name: str
    waits: str
    find: Callable[[Source], list[Row]]
    """What waits, in a fixed order."""
    place: Callable[[Row], str]
    """Where something waits, without a value of a row."""
    complete: Callable[[Source, list[Row]], list[Row]] = lambda source, rows: rows
    """What the people who decide must see besides."""
    personal: bool = False
    """Whether its rows may hold what is known of persons."""

    @property
    def title(self) -> str:
        """Its Vietnamese name, for the people who clear it."""
        return messages.text("list", self.name)

    def rows(self, source: Source) -> list[Row]:
        """The list as it is worked on."""
        return self.complete(source, self.find(source))


def counts(source: Source) -> dict[str, int]:
    """How much waits in each list."""
    return {name: len(one.find(source)) for name, one in LISTS.items()}


def noted(connection: psycopg.Connection, name: str, rows: int, *, by: str, action: str) -> None:
    """Write into the audit log that somebody has read a list of persons (Luật Bảo vệ dữ liệu cá nhân: who has seen what)."""
    if LISTS[name].personal and rows:
        connection.execute(
            "insert into ops.audit (who, action, reason, details) values (%s, %s, %s, %s)",
            [by, action, f"work list {name}", Jsonb({"list": name, "rows": rows})],
        )


# --- rows without a readable key ------------------------------------------------------------------------------------


def _people(source: Source) -> list[Contract]:
    return [c for c in source.contracts.values() if c.identity]


def _unmatched(source: Source) -> list[Row]:
    people = _people(source)
    if not people:
        return []
    keys = [(c.dataset, name) for c in people for name in c.key]
    named = {"datasets": [c.dataset for c in people], "keyed": [d for d, _ in keys], "keys": [name for _, name in keys]}
    return source.rows("worklist_unmatched_rows", named)


def _with_words(source: Source, rows: list[Row]) -> list[Row]:
    """The rows in words, with the number of the record that each is where identity asks about it."""
    waiting = source.rows("worklist_unmatched_records")
    told = {(r["dataset"], r["left_record"]) for r in waiting}
    places: dict[tuple[int, int, int], int] = {}
    for dataset in sorted({r["dataset"] for r in rows}):
        found = _unkeyed(
            source, source.contracts[dataset], {r["assessment_no"] for r in rows if r["dataset"] == dataset}
        )
        places |= {(p[0], p[1], p[2]): p[3] for p in found if (dataset, p[3]) in told}
    return [
        {
            **_with_its_words(source.contracts[row["dataset"]], row),
            "record": places.get((row["assessment_no"], row["sheet_no"], row["row"])),
        }
        for row in rows
    ]


def _unkeyed(source: Source, contract: Contract, assessments: Iterable[int]) -> list[tuple[int, int, int, int]]:
    """(assessment, sheet, row, record) of rows without a readable key."""
    if not contract.identity:
        return []
    found = unkeyed_records(source.connection, contract, sorted(assessments), source.vault)
    return [(r[0], r[1], r[2], r[3]) for r in found.iter_rows()]


def _with_its_words(contract: Contract, row: Row) -> Row:
    """The row with its cells under their Vietnamese names, and what is wrong with its key in words."""
    wrong = sorted(row["wrong"], key=lambda one: (one["rule"], one["column"] or ""))
    why = []
    for one in wrong:
        column = contract.column(one["column"] or contract.key[0])
        words = {"label": column.label, "value": row["raw"].get(column.source) or "", "address": row["address"]}
        why.append(worded(column, one["rule"], words)[0] if one["rule"] in CODES else one["rule"])
    # JSON of the database keeps no order: that of the contract is the one that people know
    said = {c.label: row["raw"][c.name] for c in contract.columns if row["raw"].get(c.name)}
    kept = {name: value for name, value in row.items() if name not in ("raw", "assessment_no", "wrong")}
    return {**kept, "rules": sorted({one["rule"] for one in wrong}), "why": why, "said": said}


# --- pairs ----------------------------------------------------------------------------------------------------------


def _pairs(source: Source) -> list[Row]:
    return source.rows("worklist_clerical_pairs")


def _with_records(source: Source, rows: list[Row]) -> list[Row]:
    """Pairs with what is known of both sides; a side of which nothing stands any more is empty."""
    known: dict[tuple[str, int], Row] = {}
    for dataset in sorted({r["dataset"] for r in rows} & set(source.contracts)):
        wanted = {r[side] for r in rows if r["dataset"] == dataset for side in ("left_record", "right_record")}
        known |= {(dataset, r.pop("record")): r for r in records(source, source.contracts[dataset], wanted)}
    return [
        {
            **row,
            "left": known.get((row["dataset"], row["left_record"]), {}),
            "right": known.get((row["dataset"], row["right_record"]), {}),
        }
        for row in rows
    ]


def records(source: Source, contract: Contract, wanted: Iterable[int]) -> list[Row]:
    """record, submission_id, sender, period, sheet_no, row, said {label: value} of source records, by record."""
    wanted = set(wanted)
    standing = source.rows("worklist_assessments", {"dataset": contract.dataset})
    unkeyed = [u for u in _unkeyed(source, contract, (r["assessment_no"] for r in standing)) if u[3] in wanted]
    places = {name: [u[i] for u in unkeyed] for i, name in enumerate(("assessments", "sheets", "rows", "records"))}
    found = source.rows(
        "worklist_records",
        {"dataset": contract.dataset, "keys": sorted(wanted), **places},
        table=quote(contract.dataset + "_rows"),
        values=_values(contract.columns),
    )
    for row in found:
        told = {c.label: _readable(c, row["said"][c.name]) for c in contract.columns}
        row["said"] = {label: value for label, value in told.items() if value is not None}
    return found + _mentions(source, contract, wanted - {row["record"] for row in found})


def _mentions(source: Source, contract: Contract, wanted: set[int]) -> list[Row]:
    """The same of what rows of other datasets name in place of a code of this one: the newest row of each."""
    if not wanted:
        return []
    name, commune = (contract.column(contract.identity[role]).label for role in ("name", "commune"))
    found: dict[int, Row] = {}
    for other in source.contracts.values():
        for column, target in mentions.references(other, source.contracts):
            if target.dataset != contract.dataset:
                continue
            standing = source.rows("worklist_assessments", {"dataset": other.dataset})
            rows = mentions.rows_of(source.connection, other, column, [r["assessment_no"] for r in standing])
            rows = rows.filter(pl.col("record").is_in(pl.Series(sorted(wanted)).implode())).unique(
                "record", keep="last"
            )
            sent = _submissions(source, rows["assessment_no"].to_list())
            for row in rows.sort("record").iter_rows(named=True):
                said = {name: row["name"], commune: None if row["place"] == PROVINCE else row["place"]}
                found[row["record"]] = {
                    "record": row["record"], **sent[row["assessment_no"]], "sheet_no": row["sheet"], "row": row["row"],
                    "said": {label: value for label, value in said.items() if value is not None},
                }  # fmt: skip
    return [found[record] for record in sorted(found)]


def _submissions(source: Source, assessments: Sequence[int]) -> dict[int, Row]:
    """submission_id, sender, period of each assessment."""
    rows = source.connection.execute(
        "select a.assessment_no, u.submission_id, u.sender, u.period from intake.assessment a "
        "join intake.submission u using (submission_no) where a.assessment_no = any (%s)",
        [list(assessments)],
    )
    return {r[0]: {"submission_id": r[1], "sender": r[2], "period": r[3]} for r in rows.fetchall()}


def _readable(column: Column, value: Any) -> Any:
    """A value of the warehouse as its column means it: a day, the Vietnamese word for a value of a list."""
    if value is None:
        return None
    if column.logical_type == "date":
        return date.fromisoformat(value)
    return next((v.label for v in column.enum if v.value == value and v.label), value)


def _values(columns: Sequence[Column]) -> str:
    """SQL of a JSON object of the columns of ``d``, with masks for what is in the vault (a call takes 100 arguments)."""
    pairs = [f"{_literal(c.name)}, {_shown(c)}" for c in columns]
    return " || ".join(f"jsonb_build_object({', '.join(pairs[n : n + 40])})" for n in range(0, len(pairs), 40))


def _literal(name: str) -> str:
    return "'" + name + "'"  # the lint lets nothing but a-z, 0-9 and _ into names


def _shown(column: Column) -> str:
    name = f"d.{quote(column.name)}"
    return f"(select vault.mask(i.value) from vault.identifier i where i.subject = {name})" if column.vaulted else name


# --- conflicts ------------------------------------------------------------------------------------------------------


def _conflicts(source: Source) -> list[Row]:
    lasting = [c.dataset for c in source.contracts.values() if c.delivery == "facts" or c.valid_time == "period"]
    return source.rows("worklist_conflicts", {"lasting": lasting})


def _without_numbers(source: Source, rows: list[Row]) -> list[Row]:
    """Masks in place of the subjects that stand for what is in the vault."""
    vaulted = {(c.dataset, column.name) for c in source.contracts.values() for column in c.vaulted}
    sealed = [row for row in rows if (row["dataset"], row["attribute"]) in vaulted]
    subjects = {
        said["value"] for row in sealed for said in (row["chosen"], *row["others"]) if said["value"] is not None
    }
    masks: dict[int, str] = dict(
        source.connection.execute(
            "select subject, vault.mask(value) from vault.identifier where subject = any (%s)",
            [sorted(int(s) for s in subjects)],
        ).fetchall()
    )
    for row in sealed:
        for said in (row["chosen"], *row["others"]):
            said["value"] = None if said["value"] is None else masks.get(int(said["value"]))
    return rows


def _unlike_dossiers(source: Source) -> list[Row]:
    rules = [r.id for c in source.contracts.values() for r in c.across if r.kind == "statistics_against_dossiers"]
    return source.rows("worklist_statistics_differences", {"rules": rules}) if rules else []


# --- holds and codes ------------------------------------------------------------------------------------------------


def _held(source: Source) -> list[Row]:
    return source.rows("worklist_held_submissions")


def _with_reasons(source: Source, rows: list[Row]) -> list[Row]:
    return [{**row, "why": [CODES[r["code"]].text(**r.get("params", {})) for r in row["reasons"]]} for row in rows]


def _unknown(source: Source) -> list[Row]:
    reads = [(c.dataset, column.name, column.source) for c in source.contracts.values() for column in c.columns]
    names = ("datasets", "columns", "sources")
    return source.rows("worklist_unknown_codes", {n: [r[i] for r in reads] for i, n in enumerate(names)})


def _with_labels(source: Source, rows: list[Row]) -> list[Row]:
    labels = {(c.dataset, column.name): column.label for c in source.contracts.values() for column in c.columns}
    return [{**row, "label": labels.get((row["dataset"], row["column_name"]), row["column_name"])} for row in rows]


LISTS: Mapping[str, WorkList] = MappingProxyType(
    {
        one.name: one
        for one in (
            WorkList(
                "held_submissions",
                "submissions that wait for a decision",
                _held,
                lambda r: f"{r['submission_id']} ({r['dataset']}): {', '.join(x['code'] for x in r['reasons'])}",
                _with_reasons,
            ),
            WorkList(
                "unmatched_rows",
                "rows about people whose key cannot be read and that no entity answers to",
                _unmatched,
                lambda r: f"{r['submission_id']} ({r['dataset']}): sheet {r['sheet_no']}, {r['address']}",
                _with_words,
                personal=True,
            ),
            WorkList(
                "clerical_pairs",
                "pairs of records that may be one",
                _pairs,
                lambda r: f"{r['dataset']}: {r['left_record']} {r['right_record']}: {r['why']}",
                _with_records,
                personal=True,
            ),
            WorkList(
                "conflicts",
                "values of which senders say different things",
                _conflicts,
                lambda r: f"{r['dataset']} {r['entity_id']}: {r['attribute']} ({', '.join(r['senders'])})",
                _without_numbers,
                personal=True,
            ),
            WorkList(
                "statistics_differences",
                "statistics that the dossiers do not bear out",
                _unlike_dossiers,
                # counts of cases are no personal data
                lambda r: f"{r['organization_code']} {r['procedure_code']} {r['valid_from']}: {r['differences']}",
            ),
            WorkList(
                "unknown_codes",
                "values that no code list and no list of units knows",
                _unknown,
                lambda r: (
                    f"{r['dataset']} {r['column_name']}: {r['rows']} rows, first {r['submission_id']} {r['address']}"
                ),
                _with_labels,
            ),
            WorkList(
                "crosswalk_differences",
                "where the published unit_changes and the crosswalk of reference disagree",
                lambda source: published_differences(source.connection),
                # administrative codes are no personal data
                lambda r: f"{r['difference']}: {r['old_code']} → {r['new_code']}",
            ),
        )
    }
)
"""Every list by name, in the order in which they are shown."""
