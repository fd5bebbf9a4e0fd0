"""Corrections by a steward: a value that is known to be wrong, put right without waiting for the sender.

A correction is a submission of its own, from the sender STEWARD: its bytes are archived, it is in the ledger, it can be
withdrawn, and the history is derived from it as from every other (laws 1 to 3). What is special is what it says: of one entity
the corrected columns, and all those that were corrected before, so that the last one alone counts; that it comes before every
sender's word (:mod:`.survivorship`); and that it keeps nobody alive: it speaks only of the time of which senders do
(corrections.sql).

It stands until it is withdrawn, whatever senders say later; that they say something else is a conflict, and on the work list.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from assets.intake.archive import Archive
from assets.intake.inbox import submission_id
from assets.intake.ledger import STEWARD, not_before
from assets.reference.resolver import Resolver
from assets.staging.observe import value_hash
from assets.staging.vault import Vault
from expectations.run import validate
from expectations.suite import checks_of
from schemas.codes import CODES
from schemas.contract import Column, Contract
from schemas.grid import Kind, SheetLayout
from schemas.migrate import quote
from schemas.periods import period_of
from schemas.semantic import Context, clean, cleaning_order, polars_type
from schemas.tables import ensure_indexes, sync
from schemas.vietnam import VIETNAM, local_day

from . import person
from .survivorship import units

RULE_SET = "correction"


class CannotCorrect(Exception):
    """The correction is none; the text says why, and repeats no value."""


def correct(
    connection: psycopg.Connection,
    archive: Archive,
    contracts: Mapping[str, Contract],
    vault: Vault,
    resolver: Resolver,
    reference_version: str,
    entity: int,
    column: str,
    value: str,
    *,
    reason: str,
    by: str,
) -> str:
    """Write down that a column of a person has this value; the id of the submission that says so. It shows with the next publish.

    Raises :class:`CannotCorrect`, and as :func:`assets.core.person.gather`.
    """
    held = person.gather(connection, contracts, entity)
    contract = contracts[held.dataset]
    person.check_reason(reason, person.names(connection, contracts, held))
    wanted = _correctable(contract, column)
    current = _current(connection, contract, held)
    now = not_before(connection, STEWARD, datetime.now(UTC))
    values = current | {column: _read(contract, wanted, value, current, vault, resolver, now)}
    _check(contract, values, vault)
    if values[column] == current[column]:
        raise CannotCorrect(f"{column} has that value already")
    said = _said(connection, contract, held, values, column)
    return _write(connection, archive, contract, held, said, column, reference_version, now, reason, by)


def _correctable(contract: Contract, name: str) -> Column:
    """The column, where it may be corrected here."""
    column = contract.find(name)
    if column is None:
        known = ", ".join(c.name for c in contract.columns if not c.vaulted and c.key_position is None)
        raise CannotCorrect(f"{contract.dataset} has no such column; there are: {known}")
    fixed = (contract.scope_column, contract.valid_from_column, contract.valid_to_column)
    if column.vaulted or column.key_position is not None or name in fixed or contract.valid_time != "asOf":
        raise CannotCorrect(f"{name} says who or where somebody is, or since when; the sender must send it again")
    return column


def _current(connection: psycopg.Connection, contract: Contract, held: person.Person) -> dict[str, Any]:
    """The values of the last version of the person."""
    columns = ", ".join(quote(c.name) for c in contract.columns)
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            f"select {columns} from core.{quote(contract.dataset)} where entity_id = %s and publish_to is null "
            "order by valid_from desc limit 1",
            [held.entity],
        ).fetchone()
    if row is None:
        raise CannotCorrect("nothing of that person is published; there is nothing to correct")
    return row


def _read(
    contract: Contract,
    column: Column,
    value: str,
    current: Mapping[str, Any],
    vault: Vault,
    resolver: Resolver,
    now: datetime,
) -> Any:
    """The value as a cell with this text would be read."""
    day = local_day(now)
    context = Context(
        as_of=pl.Series([day]),
        received_on=pl.Series([day]),
        sender=pl.Series([STEWARD]),
        resolve_unit=resolver.resolve,
        listed_unit=resolver.listed,
        today=day,
        siblings=_typed(contract, current, vault),
        submission=pl.Series([0], dtype=pl.Int64),
    )
    cell, kind = pl.Series([value], dtype=pl.String), pl.Series([int(Kind.TEXT)], dtype=pl.UInt8)
    cleaned = clean(column, cell, kind, context)
    if cleaned.issue[0] is not None or cleaned.value[0] is None:
        code = cleaned.issue[0] or "MISSING"
        raise CannotCorrect(f"{column.name}: that is no value of the column ({code})")
    return cleaned.value[0]


def _typed(contract: Contract, values: Mapping[str, Any], vault: Vault) -> dict[str, pl.Series]:
    """One row as cleaned columns, numbers in clear."""
    out = {}
    for column in contract.columns:
        if column.vaulted:
            out[column.name] = vault.reveal(pl.Series(column.name, [values[column.name]], dtype=pl.Int64))
        else:
            out[column.name] = pl.Series(column.name, [values[column.name]], dtype=polars_type(column))
    return out


def _check(contract: Contract, values: Mapping[str, Any], vault: Vault) -> None:
    """Refuse what would be refused in a sender's row: other cells that contradict it, and rules."""
    typed = _typed(contract, values, vault)
    nothing = pl.Series([None], dtype=pl.Date)
    context = Context(nothing, nothing, pl.Series([STEWARD]), None, datetime.now(VIETNAM).date(), siblings=typed)
    for column in cleaning_order(contract.columns):
        if column.vaulted and column.semantic_type == "citizen_id" and typed[column.name][0] is not None:
            text = pl.Series([int(Kind.TEXT)], dtype=pl.UInt8)
            issue = clean(column, typed[column.name].alias("cell"), text, context).issue[0]
            if issue is not None:
                raise CannotCorrect(f"it contradicts the number on the card ({issue}): {CODES[issue].text()}")
    frame = pl.DataFrame(list(typed.values())).with_columns(
        _id=pl.lit(0, dtype=pl.Int64), _sub=pl.lit(0, dtype=pl.Int64)
    )
    bad = pl.DataFrame(schema={"_id": pl.Int64, "column": pl.String})
    failed = validate(frame, contract, checks_of(contract), bad=bad).failures.filter(severity="error")
    if failed.height:
        rule = next(c for c in checks_of(contract) if c.id == failed["check"][0])
        raise CannotCorrect(f"the rule {rule.id} refuses it: {rule.message}")


def _said(
    connection: psycopg.Connection, contract: Contract, held: person.Person, values: Mapping[str, Any], column: str
) -> dict[str, Any]:
    """What the correction says: key, column, what survives with it, and what was corrected before and stands."""
    names = ", ".join(f"o.{quote(c.name)}" for c in contract.columns)
    with connection.cursor(row_factory=dict_row) as cursor:
        before = cursor.execute(
            f"select {names} from staging.{quote(contract.dataset)} o "
            "join intake.submission u on u.assessment_no = o._assessment "
            "where u.sender = %s and o._key = any (%s) and u.dataset = %s and not exists (select from intake.decision d "
            "where d.submission_id = u.submission_id and d.kind = 'withdraw') order by u.received_at desc limit 1",
            [STEWARD, sorted(held.subjects), contract.dataset],
        ).fetchone()
    said = {n: v for n, v in (before or {}).items() if v is not None}
    together = next(unit.columns for unit in units(contract) if column in unit.columns)
    said |= {name: values[name] for name in (*together, *contract.key)}
    return {c.name: said.get(c.name) for c in contract.columns}


def _write(
    connection: psycopg.Connection,
    archive: Archive,
    contract: Contract,
    held: person.Person,
    said: Mapping[str, Any],
    column: str,
    reference_version: str,
    now: datetime,
    reason: str,
    by: str,
) -> str:
    """Archive the correction, then write it into the ledger and beside the senders' rows."""
    told = {
        "dataset": contract.dataset,
        "entity_id": held.entity,
        "columns": said,
        "why": reason.strip(),
        "by": by,
        "at": now,
    }
    data = json.dumps(told, ensure_ascii=False, default=str, sort_keys=True).encode()
    stored = archive.put(io.BytesIO(data))
    delivery = "D" + hashlib.sha256(f"{STEWARD}|{stored.sha256}".encode()).hexdigest()[:15]
    name = submission_id(delivery, contract.dataset)
    day = local_day(now)
    period = period_of(day, contract.period_type, contract.calendar)
    layout = SheetLayout(0, "", False, (0, 0), {}, {})
    frame = pl.DataFrame([_stored(contract, c, said[c.name]) for c in contract.columns])
    value = value_hash(frame, frame, pl.DataFrame(schema={"_id": pl.Int64}))[0]
    with connection.transaction():
        sync(connection, contract)
        ensure_indexes(connection, contract, floor="staging")
        connection.execute(
            "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, state) "
            "values (%s, %s, %s, %s, %s, 'correction.json', %s, %s, 'read')",
            [delivery, stored.sha256, stored.size, STEWARD, period.label, f"{period.label}/{STEWARD}/{name}.json", now],
        )
        submission = connection.execute(
            "insert into intake.submission (submission_id, delivery_id, dataset, sender, period, period_first, period_last, as_of, "
            "received_at, sha256, content, file_name, state, rows_read, rows_accepted) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'correction.json', 'staged', 1, 1) returning submission_no",
            [name, delivery, contract.dataset, STEWARD, period.label, period.first, period.last, day, now, stored.sha256,
             stored.sha256],
        ).fetchone()  # fmt: skip
        assert submission is not None
        assessment = connection.execute(
            "insert into intake.assessment (submission_no, contract_version, rule_set, reference_version, layout, rows_accepted) "
            "values (%s, %s, %s, %s, %s, 1) returning assessment_no",
            [submission[0], contract.version, RULE_SET, reference_version, Jsonb([asdict(layout)])],
        ).fetchone()
        assert assessment is not None
        connection.execute(
            "update intake.submission set assessment_no = %s where submission_no = %s", [assessment[0], submission[0]]
        )
        columns = ", ".join(quote(c) for c in said)
        connection.execute(
            f"insert into staging.{quote(contract.dataset)} (_assessment, _sheet, _row, _key, _value, _ok, {columns}) "
            f"values (%s, 0, 1, %s, %s, true, {', '.join(['%s'] * len(said))})",
            [assessment[0], held.entity, value, *said.values()],
        )
        person.audit(
            connection, by=by, action="correct", reason=reason, dataset=contract.dataset, entity=held.entity,
            details={"column": column, "submission": name},
        )  # fmt: skip
    return name


def _stored(contract: Contract, column: Column, value: Any) -> pl.Series:
    kind: Any = pl.Int64 if column.vaulted else polars_type(column)
    return pl.Series(column.name, [value], dtype=kind)
