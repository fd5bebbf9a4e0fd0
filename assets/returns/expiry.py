"""End of retention of what was delivered: the bytes go, and with them what lies ready for their senders; the ledger says so.

Raw files are kept for 24 months, what was read from them by the term of its contract (brief, §6; Nghị định 85/2016/NĐ-CP): rows,
history, answers that can be asked for, and who sent what stay. A trace then says "destroyed on … because …" (law 1). Not here: the
end of a contract's term (ten years and more), erasure of a person (:mod:`assets.core.person`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from assets.core.person import audit
from assets.intake.archive import Archive
from assets.intake.ledger import no_bytes_taken
from assets.intake.stores import open_store

from .answers import place_of

MONTHS = 24
"""How long bytes are kept where nobody says otherwise."""
LEAST_MONTHS = 12
_ENDINGS = (".json", ".xlsx")
"""Of answers and returned workbooks."""
_BATCH = 500
_EXPIRED = (Path(__file__).parent / "expired.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Expired:
    """What may go, or what has gone: deliveries, and the objects of the archive that are nothing else's."""

    deliveries: int
    objects: int
    bytes: int
    kept: int
    """Old deliveries that stay: not read yet, or with a submission that nobody has decided about."""


def expired(connection: psycopg.Connection, now: datetime, months: int = MONTHS) -> Expired:
    """What :func:`expire` would destroy; nothing is changed."""
    objects, kept = _found(connection, now, months)
    return Expired(sum(n for *_, n in objects), len(objects), sum(size for _, size, _ in objects), kept)


def expire(
    connection: psycopg.Connection,
    archive: Archive,
    folders: Sequence[str],
    now: datetime,
    months: int = MONTHS,
    *,
    by: str,
) -> Expired:
    """Destroy the bytes of deliveries received more than ``months`` ago, and the files about them under ``folders`` (answers and
    returned workbooks, any fsspec URL); what was destroyed.

    The key goes first, with the ledger's word, in one transaction; then the files. Stopped in the middle or run twice: the next one
    removes the rest. Bytes that arrive again meanwhile are waited for, or taken as new ones afterwards.
    """
    why = f"the end of retention: {months} months after receipt"
    stores = [open_store(folder) for folder in folders]
    with no_bytes_taken(connection):
        objects, kept = _found(connection, now, months)
        for start in range(0, len(objects), _BATCH):
            batch = objects[start : start + _BATCH]
            names = [name for name, *_ in batch]
            archive.seal(names)  # what is clear has no key that could be destroyed
            with connection.transaction():
                connection.execute(
                    "update vault.object_key set wrapped = null, destroyed_at = clock_timestamp(), reason = %s "
                    "where wrapped is not null and sha256 = any (%s)",
                    [why, names],
                )
                told = connection.execute(
                    "update intake.delivery set destroyed_at = clock_timestamp(), destroyed_why = %s "
                    "where sha256 = any (%s) and destroyed_at is null and withheld is null returning delivery_id",
                    [why, names],
                ).fetchall()
                audit(
                    connection, by=by, action="expire", reason=why,
                    details={"deliveries": len(told), "objects": len(names), "bytes": sum(size for _, size, _ in batch)},
                )  # fmt: skip
        _sweep(connection, archive, stores)
    return Expired(sum(n for *_, n in objects), len(objects), sum(size for _, size, _ in objects), kept)


def _found(connection: psycopg.Connection, now: datetime, months: int) -> tuple[list[tuple[str, int, int]], int]:
    """(hash, size, deliveries) of the objects that may go, and how many old deliveries stay."""
    if months < LEAST_MONTHS:
        raise ValueError(f"what was delivered is kept for {LEAST_MONTHS} months at least")
    rows = connection.execute(_EXPIRED, {"now": now, "months": months}).fetchall()
    return [(r[0], r[1], r[2]) for r in rows if r[3]], sum(r[2] for r in rows if not r[3])


def _sweep(connection: psycopg.Connection, archive: Archive, stores: Sequence[tuple[Any, str]]) -> None:
    """Remove the files of what was destroyed by its age, those of a run that died too."""
    gone = connection.execute(
        "select d.sha256, u.submission_id, u.period, u.sender from intake.delivery d "
        "left join intake.submission u using (delivery_id) "
        "where d.destroyed_why like 'the end of retention:%%' "
        "and not exists (select from intake.delivery o where o.sha256 = d.sha256 and o.destroyed_at is null)"
    ).fetchall()
    hashes = {r[0] for r in gone}
    _remove(archive.fs, archive.root, {archive.path(name) for name in hashes})
    places = [place_of(period, sender, name) for _, name, period, sender in gone if name is not None]
    for fs, base in stores:
        _remove(fs, base, {f"{base.rstrip('/')}/{place}{ending}" for place in places for ending in _ENDINGS})


def _remove(fs: Any, root: str, wanted: set[str]) -> None:
    """Remove those of the files that are there: one listing, since most went long ago."""
    if not wanted:
        return
    if hasattr(fs, "invalidate_cache"):
        fs.invalidate_cache()
    try:
        there = fs.find(root)
    except FileNotFoundError:
        return
    same = {fs._strip_protocol(path): path for path in wanted}
    for path in there:
        if path in same:
            with suppress(FileNotFoundError):
                fs.rm_file(path)
