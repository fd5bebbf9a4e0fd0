"""One person: finding, showing and erasing all that is held, whichever datasets, files and publishes it is in.

Here: what belongs to a person and what is done with it; every call is written down in ``ops.audit`` with who and why, and
without any personal value. Not here: the vault itself (:mod:`assets.staging.vault`), the commands
(:mod:`pipelines.cli_person`), corrections (:mod:`.correction`).

A person is an entity of a dataset whose key is a number on an identity card: the subject that stands for it, and those of the
records that identity found to be the same person. Other datasets speak of the person by the same subjects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from assets.intake.archive import Archive
from assets.intake.ledger import no_bytes_taken
from assets.marts.changes import tell_erased
from assets.marts.publish import publishing
from assets.staging.vault import Vault
from schemas.contract import Column, Contract
from schemas.mask import RUN
from schemas.migrate import quote
from schemas.text import fold_one

from .statements import statement

_STRONG = "citizen_id"
"""The semantic type of a number that one person alone has; others may be shared, or be nobody's."""
_LEFT_BEHIND = timedelta(hours=1)
"""Age from which a file that was being archived is one that a crash has left."""


class NoSuchPerson(Exception):
    """Nobody of that id is known; the text says how ids are found."""


class Unreasonable(Exception):
    """The reason cannot be written down."""


class Erased(Exception):
    """The person was erased; the text says when and why."""


@dataclass(frozen=True)
class Row:
    """A staged row about a person: its place, key, and whether it was linked to the person rather than keyed."""

    assessment_no: int
    sheet: int
    row: int
    key: int | None
    ok: bool
    record: int | None
    cured: bool | None
    numbers: Sequence[int]


@dataclass
class Person:
    """What belongs to a person. ``subjects``: the entity's id and its records'; ``rows`` and ``entities`` by dataset."""

    entity: int
    subjects: frozenset[int]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    entities: dict[str, set[int]] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """The dataset that the person is an entity of."""
        return next((d for d, ids in self.entities.items() if self.entity in ids), next(iter(self.rows), ""))


def audit(
    connection: psycopg.Connection,
    *,
    by: str,
    action: str,
    reason: str,
    dataset: str | None = None,
    entity: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what about whom, and why; raises :class:`Unreasonable`."""
    check_reason(reason)
    connection.execute(
        "insert into ops.audit (who, action, dataset, entity_id, reason, details) values (%s, %s, %s, %s, %s, %s)",
        [by, action, dataset, entity, reason.strip(), Jsonb(dict(details or {}))],
    )


def check_reason(reason: str, names: Iterable[str] = ()) -> None:
    """Refuse a reason that is none, or that would put into the log what must not stand there."""
    if not reason.strip():
        raise Unreasonable("the reason is empty; say why, such as the number of the request: --reason '…'")
    if re.search(RUN, reason):
        raise Unreasonable(
            "the reason holds a number as long as that of an identity card; it would be kept: leave it out"
        )
    folded = f" {fold_one(reason)} "
    if any(name and f" {fold_one(name)} " in folded for name in names):
        raise Unreasonable("the reason names the person, and would be kept; give the number of the request instead")


def personal(contracts: Mapping[str, Contract]) -> list[Contract]:
    """The datasets that speak of people by numbers; first those whose entities people are, then those that speak of them."""
    return sorted((c for c in contracts.values() if c.vaulted), key=lambda c: not c.identity)


def find(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    vault: Vault,
    number: str,
    *,
    reason: str,
    by: str,
) -> list[dict[str, Any]]:
    """The people with a number on a card: entity_id, columns (where the number stands: dataset.column)."""
    check_reason(reason)
    digits = re.sub(r"\D", "", number)
    spellings = {digits, digits.zfill(12)} if len(digits) == 11 else {digits}
    subjects = set(vault.find(sorted(spellings - {""})).values())
    found: dict[int, set[str]] = {}
    for contract in personal(contracts) if subjects else ():
        strong = _strong(contract)
        if not strong:
            continue
        whose = f"coalesce(l.entity_id, {', '.join('o.' + quote(c.name) for c in strong)})"
        for column in contract.vaulted:
            query = statement("person_find", name=quote(contract.dataset), column=quote(column.name), whose=whose)
            rows = connection.execute(query, {"dataset": contract.dataset, "subjects": sorted(subjects)})
            for (subject,) in rows:
                entity = _records(connection, subject)[0]
                found.setdefault(entity, set()).add(f"{contract.dataset}.{column.name}")
    audit(connection, by=by, action="find", reason=reason, details={"found": sorted(found)})
    return [{"entity_id": entity, "columns": sorted(columns)} for entity, columns in sorted(found.items())]


def _keyed_by_number(contract: Contract) -> bool:
    return len(contract.key) == 1 and contract.column(contract.key[0]).vaulted


def _strong(contract: Contract) -> list[Column]:
    return [c for c in contract.vaulted if c.semantic_type == _STRONG]


def _array(columns: Collection[Column], of: str = "o.") -> str:
    return f"array[{', '.join(of + quote(c.name) for c in columns)}]::bigint[]"


def _records(connection: psycopg.Connection, subject: int) -> tuple[int, frozenset[int]]:
    """(entity, subjects of its records) that a subject belongs to."""
    row = connection.execute(
        "select entity_id from core.member where record = %s and publish_to is null", [subject]
    ).fetchone()
    entity = int(row[0]) if row is not None else subject
    rows = connection.execute("select record from core.member where entity_id = %s and publish_to is null", [entity])
    return entity, frozenset({entity, *(r[0] for r in rows)})


def gather(connection: psycopg.Connection, contracts: Mapping[str, Contract], entity: int) -> Person:
    """All rows and entities of a person; raises :class:`NoSuchPerson` and :class:`Erased`."""
    person = Person(*_records(connection, entity))
    weak: set[int] = set()
    for _ in range(2):  # the second time with the numbers that the first has found to be the person's alone
        for contract in personal(contracts):
            person.rows[contract.dataset] = _rows(connection, contract, person, weak)
        numbers = {n for rows in person.rows.values() for r in rows for n in r.numbers} - person.subjects
        weak = numbers - _others(connection, contracts, person, numbers)
    for contract in personal(contracts):
        keys = {r.key for r in person.rows[contract.dataset] if r.key is not None}
        rows = connection.execute(
            f"select distinct entity_id from core.{quote(contract.dataset)} "
            f"where entity_id = any (%s) or {_array(_strong(contract), '')} && %s::bigint[]",
            [sorted(keys | person.subjects if _keyed_by_number(contract) else keys), sorted(person.subjects)],
        )
        person.entities[contract.dataset] = keys | {r[0] for r in rows}
    person.rows = {dataset: rows for dataset, rows in person.rows.items() if rows}
    person.entities = {dataset: ids for dataset, ids in person.entities.items() if ids}
    gone = erased(connection, entity)
    if gone is not None and all(_empty(connection, contracts, person)):
        raise Erased(f"erased on {gone[0].date().isoformat()} because {gone[1]}")
    if not person.rows and not person.entities:
        raise NoSuchPerson("nobody is known by that id; `lienthong person find` gives the ids of a number")
    return person


def _empty(connection: psycopg.Connection, contracts: Mapping[str, Contract], person: Person) -> Iterable[bool]:
    """For each row whether nothing is left in it: after an erasure only the place and the key of a row are."""
    for dataset, rows in person.rows.items():
        columns = ", ".join(f"o.{quote(c.name)}" for c in contracts[dataset].columns)
        query = (
            f"select count(*) from unnest(%(assessments)s::bigint[], %(sheets)s::smallint[], %(rows)s::integer[]) as m (a, s, r) "
            f"join staging.{quote(dataset)} o on o._assessment = m.a and o._sheet = m.s and o._row = m.r "
            f"where num_nonnulls({columns}) > 0"
        )
        row = connection.execute(query, _places(rows)).fetchone()
        yield row is not None and not row[0]


def erased(connection: psycopg.Connection, entity: int) -> tuple[datetime, str] | None:
    """When and why an entity was erased, the last time."""
    row = connection.execute(
        "select e.at, e.reason from ops.erased_entity x join ops.erasure e using (erasure_id) where x.entity_id = %s "
        "order by e.at desc limit 1",
        [entity],
    ).fetchone()
    return (row[0], row[1]) if row is not None else None


def _rows(connection: psycopg.Connection, contract: Contract, person: Person, weak: set[int]) -> list[Row]:
    strong = _strong(contract)
    others = [c for c in contract.vaulted if c not in strong]
    query = statement(
        "person_rows",
        name=quote(contract.dataset),
        by_key="o._key = any (%(subjects)s::bigint[])" if _keyed_by_number(contract) else "false",
        strong=_array(strong),
        weak=_array(others),
    )
    given = {"dataset": contract.dataset, "subjects": sorted(person.subjects), "weak": sorted(weak)}
    found = connection.execute(query, given).fetchall()
    return [Row(*r) for r in found]


def _places(rows: Iterable[Row]) -> dict[str, list[int]]:
    rows = list(rows)
    return {
        "assessments": [r.assessment_no for r in rows],
        "sheets": [r.sheet for r in rows],
        "rows": [r.row for r in rows],
    }


def _others(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], person: Person, numbers: set[int]
) -> set[int]:
    """Those of the numbers that stand in rows of other people too."""
    found: set[int] = set()
    for contract in personal(contracts) if numbers else ():
        query = statement("person_others", name=quote(contract.dataset), all=_array(contract.vaulted))
        given = _places(person.rows.get(contract.dataset, ())) | {"numbers": sorted(numbers)}
        found |= {r[0] for r in connection.execute(query, given)}
    return found


# --- what is held ------------------------------------------------------------------------------------------------------


def held(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    entity: int,
    *,
    action: str,
    reason: str,
    by: str,
) -> dict[str, Any]:
    """All that is held about a person, numbers in clear.

    Keys: entity_id, records, identifiers [{kind, value, recorded_at}], datasets {name: {title, columns {name: label}, versions,
    observations, conflicts}}, set_aside, doubts, accesses. Raises :class:`NoSuchPerson`, :class:`Erased`.
    """
    check_reason(reason)
    person = gather(connection, contracts, entity)
    audit(connection, by=by, action=action, reason=reason, dataset=person.dataset, entity=person.entity)
    clear = _clear(connection, person)
    with connection.cursor(row_factory=dict_row) as cursor:
        return {
            "entity_id": person.entity,
            "records": sorted(person.subjects - {person.entity}),
            "identifiers": [
                {"kind": kind, "value": value, "recorded_at": at} for kind, value, at in sorted(clear.values())
            ],
            "datasets": {
                name: {
                    "title": contracts[name].title,
                    "columns": {c.name: c.label for c in contracts[name].columns},
                    "versions": _versions(cursor, contracts[name], person, clear),
                    "observations": _observations(cursor, contracts[name], person, clear),
                    "conflicts": _conflicts(cursor, name, person),
                }
                for name in sorted({*person.rows, *person.entities})
            },
            "set_aside": _aside(cursor, person),
            "doubts": cursor.execute(
                "select dataset, left_record, right_record, why from core.doubt where publish_to is null "
                "and (left_record = any (%(s)s) or right_record = any (%(s)s)) order by 1, 2, 3",
                {"s": sorted(person.subjects)},
            ).fetchall(),
            "accesses": cursor.execute(
                "select at, who, action, reason from ops.audit where entity_id = any (%s) order by audit_id",
                [sorted(person.subjects)],
            ).fetchall(),
        }


def _clear(connection: psycopg.Connection, person: Person) -> dict[int, tuple[str, str, datetime]]:
    """Subject -> (kind, value, when it was first sent) of the person's numbers that are in the vault."""
    numbers = {n for rows in person.rows.values() for r in rows for n in r.numbers}
    rows = connection.execute(
        "select subject, kind, value, recorded_at from vault.identifier where subject = any (%s) and value is not null",
        [sorted(numbers | person.subjects)],
    )
    return {r[0]: (r[1], r[2], r[3]) for r in rows}


def _told(contract: Contract, row: dict[str, Any], clear: Mapping[int, tuple[str, str, datetime]]) -> dict[str, Any]:
    """The values of a row by column, numbers in clear; they are taken out of the row."""
    values = {c.name: row.pop(f"c{i}") for i, c in enumerate(contract.columns)}
    for column in contract.vaulted:
        if values[column.name] is not None:
            values[column.name] = clear[values[column.name]][1] if values[column.name] in clear else None
    return values


def _columns(contract: Contract, of: str) -> str:
    return ", ".join(f"{of}{quote(c.name)} as c{i}" for i, c in enumerate(contract.columns))


def _versions(
    cursor: psycopg.Cursor[dict[str, Any]], contract: Contract, person: Person, clear: Mapping[int, Any]
) -> list[dict[str, Any]]:
    rows = cursor.execute(
        f"select h.entity_id, h.valid_from, h.valid_to, h.carried_since, {_columns(contract, 'h.')} "
        f"from core.{quote(contract.dataset)} h, core.pointer p where h.entity_id = any (%s) "
        "and h.publish_from <= p.shows and (h.publish_to is null or h.publish_to > p.shows) order by 1, 2",
        [sorted(person.entities.get(contract.dataset, ()))],
    ).fetchall()
    return [{"values": _told(contract, row, clear), **row} for row in rows]


def _observations(
    cursor: psycopg.Cursor[dict[str, Any]], contract: Contract, person: Person, clear: Mapping[int, Any]
) -> list[dict[str, Any]]:
    query = statement("person_observations", name=quote(contract.dataset), columns=_columns(contract, "o."))
    rows = cursor.execute(query, _places(person.rows.get(contract.dataset, ()))).fetchall()
    for row in rows:
        layouts = row.pop("layout")
        row["sheet"] = next((lay["name"] for lay in layouts if lay["sheet"] == row["sheet_no"]), "")
    return [{"values": _told(contract, row, clear), **row} for row in rows]


def _conflicts(cursor: psycopg.Cursor[dict[str, Any]], dataset: str, person: Person) -> list[dict[str, Any]]:
    return cursor.execute(
        "select entity_id, attribute, valid_from, valid_to, chosen, others, rule from core.conflict "
        "where dataset = %s and entity_id = any (%s) and publish_to is null order by 1, 2, 3",
        [dataset, sorted(person.entities.get(dataset, ()))],
    ).fetchall()


def _aside(cursor: psycopg.Cursor[dict[str, Any]], person: Person) -> list[dict[str, Any]]:
    return cursor.execute(
        "select u.submission_id, u.dataset, u.sender, u.period, s.assessment_no, s.sheet, s.row, s.reason, s.text "
        "from staging.set_aside s join intake.assessment a using (assessment_no) join intake.submission u using (submission_no) "
        "where s.key = any (%s) and s.text <> '' order by 1, 5, 6, 7",
        [_keys(person)],
    ).fetchall()


def _keys(person: Person) -> list[int]:
    """What rows of the person that were set aside have for a key."""
    keys = {r.key for rows in person.rows.values() for r in rows if r.key is not None}
    return sorted(keys | person.subjects)


# --- erasure -----------------------------------------------------------------------------------------------------------


@dataclass
class Plan:
    """What an erasure takes away, and what of it is there. ``kept``: numbers that rows of other people have too."""

    person: Person
    aside: list[tuple[int, int, int]]
    identifiers: list[int]
    kept: list[int]
    objects: list[str]
    submissions: list[str]
    origins: list[str]
    versions: int

    def counts(self) -> dict[str, int]:
        """Numbers only."""
        rows = [r for rows in self.person.rows.values() for r in rows]
        return {
            "rows": len(rows),
            "quarantined": sum(not r.ok for r in rows),
            "set_aside": len(self.aside),
            "versions": self.versions,
            "identifiers": len(self.identifiers),
            "identifiers_of_others_too": len(self.kept),
            "objects": len(self.objects),
            "submissions": len(self.submissions),
        }


def plan(connection: psycopg.Connection, contracts: Mapping[str, Contract], entity: int) -> Plan:
    """What the erasure of a person would take away; raises :class:`NoSuchPerson`, :class:`Erased`."""
    person = gather(connection, contracts, entity)
    aside = connection.execute(
        "select assessment_no, sheet, row from staging.set_aside where key = any (%s) and text <> '' order by 1, 2, 3",
        [_keys(person)],
    ).fetchall()
    rows = [r for rows in person.rows.values() for r in rows]
    numbers = {n for r in rows for n in r.numbers} | person.subjects
    kept = _others(connection, contracts, person, numbers)
    records = {r.record for r in rows if r.record is not None}
    known = connection.execute(
        "select subject from vault.identifier where subject = any (%s) and value is not null order by 1",
        [sorted((numbers | records) - kept)],
    )
    identifiers = [r[0] for r in known]
    assessments = sorted({r.assessment_no for r in rows} | {a for a, _, _ in aside})
    files = connection.execute(
        "select u.submission_id, d.sha256, d.origin from intake.assessment a join intake.submission u using (submission_no) "
        "join intake.delivery d using (delivery_id) where a.assessment_no = any (%s)",
        [assessments],
    ).fetchall()
    objects = sorted({f[1] for f in files})
    origins = connection.execute(
        "select distinct origin from intake.delivery where sha256 = any (%s) order by 1", [objects]
    ).fetchall()
    versions = 0
    for dataset, ids in person.entities.items():
        count = connection.execute(
            f"select count(*) from core.{quote(dataset)} where entity_id = any (%s)", [sorted(ids)]
        ).fetchone()
        versions += count[0] if count else 0
    return Plan(
        person, [tuple(a) for a in aside], identifiers, sorted(kept), objects, sorted({f[0] for f in files}),
        [o[0] for o in origins], versions,
    )  # fmt: skip


def erase(
    connection: psycopg.Connection,
    archive: Archive,
    contracts: Mapping[str, Contract],
    entity: int,
    *,
    reason: str,
    by: str,
) -> Plan:
    """Take away all that is held of a person, in one transaction, and leave a tombstone; what was taken away.

    Rows of others in the same files stay as they are; the files themselves are destroyed (their keys are), since a file cannot
    lose one row. Raises :class:`NoSuchPerson`, :class:`Erased` (a second time: there is nothing left) and
    :class:`Unreasonable`.
    """
    check_reason(reason)
    with publishing(connection), no_bytes_taken(connection), connection.transaction():
        for contract in personal(contracts):
            # whoever stages now is waited for: a row that is not there yet could not be found
            connection.execute(f"lock table staging.{quote(contract.dataset)} in share row exclusive mode")
        found = plan(connection, contracts, entity)
        check_reason(reason, names(connection, contracts, found.person))
        left = _destroy(connection, archive, found.objects, reason)
        for dataset, rows in found.person.rows.items():
            _empty_rows(connection, contracts[dataset], rows)
        tell_erased(connection, found.person.entities)
        _forget(connection, found)
        _bury(connection, found, reason, by)
        counts = found.counts()
        audit(
            connection, by=by, action="erase", reason=reason, dataset=found.person.dataset, entity=found.person.entity,
            details=counts,
        )  # fmt: skip
    for path in left:
        archive.fs.rm_file(path)
    return found


def names(connection: psycopg.Connection, contracts: Mapping[str, Contract], person: Person) -> list[str]:
    """What the rows of the person call the person."""
    found: list[str] = []
    for dataset, rows in person.rows.items():
        for column in contracts[dataset].columns:
            if column.semantic_type == "person_name":
                query = (
                    f"select distinct o.{quote(column.name)} from unnest(%(assessments)s::bigint[], %(sheets)s::smallint[], "
                    f"%(rows)s::integer[]) as m (a, s, r) join staging.{quote(dataset)} o "
                    "on o._assessment = m.a and o._sheet = m.s and o._row = m.r"
                )
                found += [r[0] for r in connection.execute(query, _places(rows)) if r[0]]
    return found


def _destroy(connection: psycopg.Connection, archive: Archive, objects: Sequence[str], reason: str) -> list[str]:
    """Destroy the keys of objects, and write it down; files that crashes have left, to be removed afterwards."""
    archive.seal(objects)  # one from before sealing is destroyed with a key as well, or not at all
    keys = set()
    for sha256 in objects:
        if archive.fs.exists(archive.path(sha256)):
            keys.add(archive.key_id(sha256))
    now, left = datetime.now().astimezone(), []
    for path, key in archive.remains():
        # whose bytes they are nobody knows, and nothing refers to them
        if now - archive.fs.modified(path).astimezone() > _LEFT_BEHIND:
            keys.add(key)
            left.append(path)
    connection.execute(
        "update vault.object_key set wrapped = null, destroyed_at = clock_timestamp(), reason = %s "
        "where wrapped is not null and (key_id = any (%s) or sha256 = any (%s))",
        [reason.strip(), [k for k in keys if k is not None], list(objects)],
    )
    connection.execute(
        "update intake.delivery set destroyed_at = clock_timestamp(), destroyed_why = %s "
        "where sha256 = any (%s) and destroyed_at is null and withheld is null",
        [reason.strip(), list(objects)],
    )
    return left


def _empty_rows(connection: psycopg.Connection, contract: Contract, rows: Sequence[Row]) -> None:
    nothing = ", ".join(f"{quote(c.name)} = null" for c in contract.columns)
    query = statement("person_erase_rows", name=quote(contract.dataset), nothing=nothing)
    connection.execute(query, _places(rows) | {"dataset": contract.dataset})


def _forget(connection: psycopg.Connection, found: Plan) -> None:
    """What was derived of the person, in every publish; what was set aside; the numbers."""
    person, places = found.person, found.aside
    connection.execute(
        "update staging.set_aside s set text = '' "
        "from unnest(%s::bigint[], %s::smallint[], %s::integer[]) as m (a, h, r) "
        "where s.assessment_no = m.a and s.sheet = m.h and s.row = m.r",
        [[p[i] for p in places] for i in range(3)],
    )
    subjects = sorted(person.subjects)
    tables = ("finding", "conflict")
    for dataset, ids in person.entities.items():
        for table in (quote(dataset), *tables):
            where = "entity_id = any (%s)" + (" and dataset = %s" if table in tables else "")
            given: list[Any] = [sorted(ids), dataset] if table in tables else [sorted(ids)]
            connection.execute(f"delete from core.{table} where {where}", given)
    records = sorted(
        person.subjects | {r.record for rows in person.rows.values() for r in rows if r.record is not None}
    )
    connection.execute("delete from core.link where entity_id = any (%s)", [subjects])
    connection.execute("delete from core.member where entity_id = any (%s) or record = any (%s)", [subjects, subjects])
    connection.execute(
        "delete from core.doubt where left_record = any (%s) or right_record = any (%s)", [records, records]
    )
    connection.execute(
        "update vault.identifier set value = null, lookup = null, erased_at = clock_timestamp() where subject = any (%s)",
        [found.identifiers],
    )
    connection.execute(
        "update intake.submission set announced_state = null where submission_id = any (%s)", [found.submissions]
    )


def _bury(connection: psycopg.Connection, found: Plan, reason: str, by: str) -> None:
    """The tombstone: when, why, by whom, which files, and what must not be derived again."""
    person = found.person
    row = connection.execute(
        "insert into ops.erasure (who, reason, dataset, entity_id, objects, counts) values (%s, %s, %s, %s, %s, %s) "
        "returning erasure_id",
        [by, reason.strip(), person.dataset, person.entity, found.objects, Jsonb(found.counts())],
    ).fetchone()
    assert row is not None
    ids = {dataset: set(found_ids) for dataset, found_ids in person.entities.items()}
    ids.setdefault(person.dataset, set()).update(person.subjects)
    pairs = [(dataset, entity, row[0]) for dataset in sorted(ids) for entity in sorted(ids[dataset])]
    places = {(r.assessment_no, r.sheet, r.row) for rows in person.rows.values() for r in rows} | set(found.aside)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.erased_entity (dataset, entity_id, erasure_id) values (%s, %s, %s) on conflict do nothing",
            pairs,
        )
        cursor.executemany(
            "insert into ops.erased_row (assessment_no, sheet, row, erasure_id) values (%s, %s, %s, %s) on conflict do nothing",
            [(*place, row[0]) for place in sorted(places)],
        )
