"""The ledger of deliveries: what arrived, from whom, when, and where its bytes are kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from schemas.grid import Problem

from .archive import Archive, Stored
from .inbox import Arrived, delivery_id, open_arrived

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """A delivery as the ledger knows it."""

    delivery_id: str
    sha256: str
    size: int
    sender: str
    period: str
    file_name: str
    origin: str
    received_at: Any
    sidecar: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    """What is wrong with its place or its sidecar; what reading it finds is said of its submissions."""


def receive(
    connection: psycopg.Connection,
    archive: Archive,
    inbox: str,
    arrived: Sequence[Arrived],
    progress: Callable[[], None] | None = None,
    when_new: Callable[[], None] = lambda: None,
) -> list[str]:
    """Archive the bytes of each file, then write them down; ids of the deliveries that are new.

    The bytes come first: a crash in between leaves an object that nothing refers to, never a row without bytes. A file that
    changed while it was copied (its size is another than when it was looked at) or cannot be opened is left for the next
    round. ``when_new`` is called before anything is copied where there is a file of which nothing is known.
    """
    rows = []
    seen = {
        (r[0], r[1], r[2]): r[3]
        for r in connection.execute(
            "select origin, received_at, size, sha256 from intake.delivery where origin = any (%s)",
            [[a.origin for a in arrived]],
        )
    }
    if any((item.origin, item.received_at, item.size) not in seen for item in arrived):
        when_new()
    for item in arrived:
        # time and size may lie about a file that was seen before, its hash does not; it need not be copied to be hashed
        known = seen.get((item.origin, item.received_at, item.size))
        try:
            source = open_arrived(inbox, item)
        except OSError as error:  # gone since it was looked at, or locked by its writer: the next round will see
            log.warning("a file of %s in %s could not be opened: %s", item.sender, item.period, type(error).__name__)
            continue
        with source:
            stored = Stored(known or "", item.size)
            same = known is not None and hashlib.file_digest(source, "sha256").hexdigest() == known
            if not same or item.sidecar or not archive.holds(stored):
                source.seek(0)
                stored = archive.put(source)
        if progress is not None:
            progress()
        if stored.size != item.size:
            continue
        rows.append(
            (
                delivery_id(stored.sha256, item),
                stored.sha256,
                stored.size,
                item.sender,
                item.period,
                item.file_name,
                item.origin,
                item.received_at,
                Jsonb(item.sidecar),
                Jsonb([asdict(p) for p in item.problems]),
            )
        )
    if not rows:
        return []
    with connection.transaction(), connection.cursor() as cursor:
        present = cursor.execute(
            "select delivery_id from intake.delivery where delivery_id = any (%s)", [[r[0] for r in rows]]
        )
        there = {r[0] for r in present}
        fresh = [r for r in rows if r[0] not in there]
        cursor.executemany(
            "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, sidecar, "
            "state, problems) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'received', %s) on conflict do nothing",
            fresh,
        )
    return [r[0] for r in fresh]


_DELIVERY = "delivery_id, sha256, size, sender, period, file_name, origin, received_at, sidecar, problems"


def pending(connection: psycopg.Connection) -> list[Delivery]:
    """Deliveries that nobody has read yet, in order of receipt."""
    return _deliveries(connection, "state = 'received'", {})


def deliveries_of(
    connection: psycopg.Connection, *, dataset: str | None = None, submission_id: str | None = None
) -> list[Delivery]:
    """Deliveries that were read before, in order of receipt: all, or those of one dataset or submission."""
    where = (
        "state <> 'received' and (%(dataset)s::text is null and %(id)s::text is null or delivery_id in "
        "(select s.delivery_id from intake.submission s where s.dataset = %(dataset)s or s.submission_id = %(id)s))"
    )
    return _deliveries(connection, where, {"dataset": dataset, "id": submission_id})


def _deliveries(connection: psycopg.Connection, where: str, parameters: dict[str, Any]) -> list[Delivery]:
    rows = connection.execute(
        f"select {_DELIVERY} from intake.delivery where {where} order by received_at, sha256, delivery_id", parameters
    )
    return [Delivery(*(*r[:9], tuple(Problem(**p) for p in r[9]))) for r in rows]
