"""What would happen: the same path as a real run, in a transaction that is rolled back, with the bytes kept in memory only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.intake.archive import Archive, Stored
from assets.intake.inbox import Arrived
from assets.intake.ledger import receive
from assets.intake.markings import marked_name
from assets.marts.publish import publish, publishing
from assets.returns.answers import answer
from schemas.contract import Contract
from schemas.migrate import quote

from .flow import Pipeline


@dataclass
class Preview:
    """The answers that the senders would get, and the difference that the warehouse would see.

    ``changes``: dataset -> {opened, closed, entities}; ``difference``: dataset -> up to ``limit`` versions, each with
    ``change`` ('+' begins, '-' ends) and the version's columns.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)
    changes: dict[str, dict[str, int]] = field(default_factory=dict)
    difference: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class _Undo(Exception):
    pass


@contextmanager
def _undone(pipeline: Pipeline) -> Iterator[tuple[psycopg.Connection, Archive]]:
    """A connection whose work is rolled back, and an archive in memory over the real one, which is let go of."""
    scratch = _Layered(Archive(f"memory://preview-{uuid.uuid4().hex}"), pipeline.archive)
    pipeline.vault.keep = False
    try:
        with pipeline.connection() as connection, publishing(connection), connection.transaction():
            yield connection, scratch
            raise _Undo
    except _Undo:
        pass
    finally:
        pipeline.vault.keep = True
        if scratch.fs.exists(scratch.root):
            scratch.fs.rm(scratch.root, recursive=True)


def dry_run(
    pipeline: Pipeline,
    *,
    inbox: str | None = None,
    period: str | None = None,
    limit: int = 20,
) -> Preview:
    """What ``run`` would do now, pending work of earlier runs included."""
    preview = Preview()
    with _undone(pipeline) as (connection, archive):
        preview.growing = pipeline.receive(connection, inbox=inbox, period=period, archive=archive).growing
        _finish(pipeline, connection, archive, preview, limit)
    return preview


def check_file(
    pipeline: Pipeline,
    path: Path,
    *,
    sender: str,
    period: str,
    dataset: str | None = None,
    as_of: str | None = None,
    limit: int = 20,
) -> Preview:
    """What would be answered to this file if it arrived now. Rules across files are judged against what is in force."""
    preview = Preview()
    sidecar = {k: v for k, v in (("dataset", dataset), ("as_of", as_of)) if v}
    origin = f"{period}/{sender}/{path.name}"
    arrived = Arrived(
        str(path.absolute()),
        origin,
        period,
        sender,
        path.name,
        datetime.now(UTC),
        path.stat().st_size,
        sidecar,
        marked=marked_name(path.name),
    )
    with _undone(pipeline) as (connection, archive):
        # only this file: what else is pending is another matter
        connection.execute("update intake.delivery set state = 'read' where state = 'received'")
        receive(connection, archive, f"file://{path.absolute().parent}", [arrived])
        _finish(pipeline, connection, archive, preview, limit)
    return preview


class _Layered(Archive):
    """Writes to a scratch archive, reads from it first and from the real one after."""

    def __init__(self, scratch: Archive, real: Archive) -> None:
        self.url, self.fs, self.root, self.keys, self._real = scratch.url, scratch.fs, scratch.root, scratch.keys, real

    def must_be_there(self) -> None:
        self._real.must_be_there()

    def holds(self, stored: Stored) -> bool:
        return super().holds(stored) or self._real.holds(stored)

    def open(self, sha256: str) -> Any:
        return super().open(sha256) if self.fs.exists(self.path(sha256)) else self._real.open(sha256)

    def read(self, sha256: str) -> bytes:
        return super().read(sha256) if self.fs.exists(self.path(sha256)) else self._real.read(sha256)


def _finish(
    pipeline: Pipeline,
    connection: psycopg.Connection,
    archive: Archive,
    preview: Preview,
    limit: int,
) -> None:
    staged = pipeline.stage(connection, archive=archive)
    prepared = pipeline.prepare(connection, indicators=False)  # nobody is shown them
    number = prepared.number
    publish(connection, prepared)
    for name in [*staged.staged, *staged.rejected]:
        preview.answers.append(answer(connection, pipeline.contracts, name))
    for merged in prepared.merged:
        if merged.changed and number is not None:
            preview.changes[merged.dataset] = {
                "opened": merged.opened,
                "closed": merged.closed,
                "entities": merged.entities,
            }
            preview.difference[merged.dataset] = _difference(
                connection, pipeline.contracts[merged.dataset], number, limit
            )


def _difference(connection: psycopg.Connection, contract: Contract, number: int, limit: int) -> list[dict[str, Any]]:
    columns = ", ".join(quote(c.name) for c in contract.columns)
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"select case when publish_from = %(n)s then '+' else '-' end as change, entity_id, valid_from, valid_to, {columns} "
            f"from core.{quote(contract.dataset)} where publish_from = %(n)s or publish_to = %(n)s "
            "order by entity_id, valid_from, change desc limit %(limit)s",
            {"n": number, "limit": limit},
        ).fetchall()
