"""The reference lists in the database: ``core.unit``, ``unit_change``, ``sender``, ``calendar`` and the function ``unit_at``.

Here: bringing them to the version that was loaded (:func:`sync_reference`). Not here: the tables' definitions
(schemas/migrations), reading the lists (:mod:`assets.reference.units`).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from assets.reference.units import Reference
from assets.reference.workdays import Workdays, workdays_of

SINCE_EVER = "0001-01-01"
"""``core.unit.valid_from`` of units without a known beginning: the column is part of the primary key."""

UNIT_AT_SQL = (Path(__file__).parent / "unit_at.sql").read_text(encoding="utf-8")


def sync_reference(connection: Connection, reference: Reference) -> bool:
    """Replaces the lists in the database unless they are of ``reference.version`` already; says whether it did.

    Runs in the caller's transaction and neither commits nor rolls back. Readers go on seeing the old lists until the
    commit; a second caller waits for the first and then finds nothing to do.
    """
    if _stored_version(connection) == reference.version:
        return False
    connection.execute("lock table core.reference_version in share row exclusive mode")
    if _stored_version(connection) == reference.version:
        return False
    since = pl.col("valid_from").fill_null(pl.lit(SINCE_EVER).str.to_date())
    _replace(connection, "unit", reference.units.with_columns(since))
    _replace(connection, "unit_change", reference.changes)
    _replace(connection, "sender", reference.senders)
    _replace(connection, "calendar", Workdays(reference.days_off).table())
    connection.execute(UNIT_AT_SQL)
    connection.execute("delete from core.reference_version")
    connection.execute("insert into core.reference_version (version) values (%s)", [reference.version])
    return True


def stored_workdays(connection: Connection) -> Workdays:
    """The working days by the calendar in the database."""
    rows = connection.execute(
        "select day, case when works then 'work' else 'off' end, coalesce(name, '') from core.calendar "
        "where works = (extract(isodow from day) > 5) or name is not null"
    )
    return workdays_of(rows.fetchall())


def _stored_version(connection: Connection) -> str | None:
    row = connection.execute("select version from core.reference_version").fetchone()
    return None if row is None else str(row[0])


def _replace(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    target = Identifier("core", table)
    connection.execute(SQL("delete from {}").format(target))
    columns = SQL(", ").join(map(Identifier, frame.columns))
    statement = SQL("copy {} ({}) from stdin (format csv)").format(target, columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(frame.write_csv(include_header=False))
