"""The ledger of deliveries: what arrived, from whom, when, and where its bytes are kept."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb

from schemas.grid import Problem
from schemas.mask import without_numbers

from .archive import Archive, Changed, Stored
from .inbox import NOT_KEPT, Arrived, Place, delivery_id, digest_of, open_arrived, place_of
from .markings import marked, marked_name
from .stores import is_local

log = logging.getLogger(__name__)

STEWARD = "STEWARD"
"""Sender of corrections (:mod:`assets.core.correction`): no list of senders has it, and no file is taken from it."""
SECRET = "SECRET_MARKING"
"""Code of the only problem of a delivery that was not archived, and why its bytes are withheld."""
_IN_MEMORY = 64 << 20
"""Bytes of a file up to which it is read once; a larger one is read again to be archived, and must have the same hash."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]{0,34}")
_PERIOD = re.compile(r"\d{4}(?:-(?:Q[1-4]|H[12]|\d{2}))?")


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
    destroyed_at: datetime | None = None
    destroyed_why: str | None = None
    """When its bytes were destroyed, and for what reason; None where they were not."""


@dataclass
class Received:
    """What was found in the inbox: ids of the deliveries that are ``fresh``, and of those ``withheld``, fresh or seen before,
    whose file bears a secret marking and lies there still."""

    fresh: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)


def receive(
    connection: psycopg.Connection,
    archive: Archive,
    inbox: Place | str,
    arrived: Sequence[Arrived],
    progress: Callable[[], None] | None = None,
    when_new: Callable[[], None] = lambda: None,
) -> Received:
    """Look each file through for a secret marking, archive its bytes, then write it down.

    The bytes come before the row: a crash in between leaves an object that nothing refers to, never a row without bytes. Of
    a file with a marking nothing is written but hash, size, sender and times. A file that changed while it was looked through
    or copied (its hash or size is another) or cannot be opened is left for the next round. ``when_new`` is called before
    anything is copied where there is a file of which nothing is known. Of a store elsewhere no file is fetched again that is
    :func:`unchanged`, while the archive has its bytes.
    """
    with _taking_bytes(connection):
        return _receive(connection, archive, inbox, arrived, progress, when_new)


def _receive(
    connection: psycopg.Connection,
    archive: Archive,
    inbox: Place | str,
    arrived: Sequence[Arrived],
    progress: Callable[[], None] | None,
    when_new: Callable[[], None],
) -> Received:
    rows = []
    tags: dict[str, str | None] = {}
    seen = {
        (r[0], r[1], r[2]): r[3]
        for r in connection.execute(
            "select origin, received_at, size, sha256 from intake.delivery where origin = any (%s) and withheld is null",
            [[a.origin for a in arrived]],
        )
    }
    # a file from which a person was erased may lie in the inbox still: seen again, it is no new delivery
    destroyed = {
        r[0]
        for r in connection.execute(
            "select delivery_id from intake.delivery where destroyed_at is not null and origin = any (%s)",
            [[a.origin for a in arrived]],
        )
    }
    refused = {r[0] for r in connection.execute("select delivery_id from intake.delivery where withheld is not null")}
    received = Received()
    same = unchanged(connection, inbox, arrived)
    if any((item.origin, item.received_at, item.size) not in seen for item in arrived):
        when_new()
    for item in arrived:
        if (there := same.get(item.path)) is not None and (there.gone or archive.holds(there.stored)):
            if progress is not None:
                progress()
            continue
        try:
            source = open_arrived(inbox, item)
        except OSError as error:  # gone since it was looked at, or locked by its writer: the next round will see
            log.warning("a file of %s in %s could not be opened: %s", *_place(item), type(error).__name__)
            continue
        with source:
            stored, secret = _take(
                archive, source, item, seen.get((item.origin, item.received_at, item.size)), refused, destroyed
            )
        if progress is not None:
            progress()
        if stored is None or stored.size != item.size:
            continue
        name = delivery_id(stored.sha256, item)
        if secret:
            received.withheld.append(name)
        elif not is_local(place_of(inbox).url):
            tags[name] = item.tag
        rows.append((name, stored.sha256, stored.size, *(_neutral(item) if secret else _told(item))))
    if not rows:
        return received
    with connection.transaction(), connection.cursor() as cursor:
        present = cursor.execute(
            "select delivery_id from intake.delivery where delivery_id = any (%s)", [[r[0] for r in rows]]
        )
        known = {r[0] for r in present}
        fresh = [r for r in rows if r[0] not in known]
        cursor.executemany(_INSERT, fresh)
        looked_at(cursor, tags)
    received.fresh = [r[0] for r in fresh]
    return received


@dataclass(frozen=True)
class _Seen:
    """A delivery whose file lies where it lay. ``gone``: its bytes were destroyed."""

    stored: Stored
    gone: bool


def unchanged(connection: psycopg.Connection, inbox: Place | str, arrived: Sequence[Arrived]) -> dict[str, _Seen]:
    """Those of the files of a store elsewhere that need not be fetched to be known, by path: place, time, size and statements are
    those that were seen, and what the store says of the bytes (an ETag).

    Where it says nothing, a file counts as unchanged once it was fetched well after the time that it bears: times are told to the
    second, and a file that was written to again in the same second would look the same. None of this machine's files: they are
    hashed each time, which costs little and believes nothing.
    """
    if is_local(place_of(inbox).url):
        return {}
    rows = connection.execute(
        "select origin, received_at, size, sidecar, store_tag, looked_at >= received_at + %s, sha256, "
        "destroyed_at is not null from intake.delivery where origin = any (%s) and withheld is null",
        [_SETTLED, [a.origin for a in arrived]],
    ).fetchall()
    known: dict[Any, list[Any]] = {}
    for origin, received_at, size, *more in rows:
        known.setdefault((origin, received_at, size), []).append(more)
    found = {}
    for item in arrived:
        for sidecar, tag, settled, sha256, gone in known.get((item.origin, item.received_at, item.size), ()):
            same = tag == item.tag if item.tag is not None else settled
            if same and sidecar == item.sidecar and not item.marked:
                found[item.path] = _Seen(Stored(sha256, item.size), gone)
    return found


def looked_at(cursor: psycopg.Cursor | psycopg.Connection, tags: Mapping[str, str | None]) -> None:
    """Write down that the bytes of these deliveries were looked at just now, and what their store says of them."""
    cursor.execute(
        "update intake.delivery d set looked_at = clock_timestamp(), store_tag = n.tag "
        "from unnest(%s::text[], %s::text[]) n (id, tag) where d.delivery_id = n.id "
        "and (d.store_tag is distinct from n.tag or coalesce(d.looked_at < d.received_at + %s, true))",
        [list(tags), list(tags.values()), _SETTLED],
    )


_SETTLED = timedelta(minutes=1)


def receive_extract(
    connection: psycopg.Connection,
    archive: Archive,
    item: Arrived,
    source: IO[bytes],
    state: Callable[[psycopg.Cursor, str, str], None],
    *,
    unless: str | None = None,
) -> str | None:
    """Archive an extract and write it down like a file that arrived; its delivery's id. ``state``: called with the cursor, the
    id and
    the hash within the transaction that writes it down. None, and nothing written: bytes of the hash ``unless``, which are there.

    The bytes are looked through for a secret marking like any other's; with one nothing is kept but hash, size, sender and times.
    """
    digest = digest_of(source)
    if digest == unless:
        return None
    source.seek(0)
    with _taking_bytes(connection):
        stored, secret = _take(archive, source, item, None, (), ())
        assert stored is not None  # nobody else writes it
        name = delivery_id(stored.sha256, item)
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_INSERT, (name, stored.sha256, stored.size, *(_neutral(item) if secret else _told(item))))
            state(cursor, name, stored.sha256)
    return name


_BYTES = "hashtext('lienthong.bytes')"


@contextmanager
def _locked(connection: psycopg.Connection, how: LiteralString) -> Iterator[None]:
    connection.execute(f"select pg_advisory_lock{how}({_BYTES})")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(f"select pg_advisory_unlock{how}({_BYTES})")


def _taking_bytes(connection: psycopg.Connection) -> AbstractContextManager[None]:
    """Between the moment when bytes are found in the archive and that in which a row refers to them nobody destroys them."""
    return _locked(connection, "_shared")


def no_bytes_taken(connection: psycopg.Connection) -> AbstractContextManager[None]:
    """Nobody takes bytes meanwhile: what is to be destroyed is nothing else's. Waits for those who are taking some."""
    return _locked(connection, "")


_INSERT = (
    "insert into intake.delivery (delivery_id, sha256, size, sender, period, file_name, origin, received_at, sidecar, "
    "problems, withheld, state) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'received') on conflict do nothing"
)


def not_before(connection: psycopg.Connection, sender: str, moment: datetime) -> datetime:
    """When what the pipeline itself takes (an extract, a correction) counts as received: the moment, or just after what it took of
    this sender before, where the machine's clock was put back meanwhile. What was withdrawn decides nothing.

    Files have the time of the store that they were put on, whenever they are seen: it must not depend on when that was.
    """
    row = connection.execute(
        "select max(d.received_at) from intake.delivery d left join intake.submission u using (delivery_id) "
        "where d.sender = %(sender)s and u.state is distinct from 'withdrawn' and (%(sender)s = %(steward)s "
        "or d.delivery_id in (select delivery_id from ops.source_pull where kind <> 'inbox' "
        "and split_part(source, '/', 1) = %(sender)s))",
        {"sender": sender, "steward": STEWARD},
    ).fetchone()
    last = row[0] if row is not None else None
    return moment if last is None else max(moment, last + timedelta(microseconds=1))


def _take(
    archive: Archive,
    source: IO[bytes],
    item: Arrived,
    known: str | None,
    refused: Collection[str],
    destroyed: Collection[str],
) -> tuple[Stored | None, bool]:
    """The bytes of a file, archived, or left alone where they bear a marking or were destroyed; None where they changed under
    the hand."""
    if item.size <= _IN_MEMORY:
        # what is looked through and what is archived are the same bytes, whatever happens to the file meanwhile
        data = source.read(_IN_MEMORY + 1)
        if len(data) != item.size:
            return None, False
        source = io.BytesIO(data)
    # time and size may lie about a file that was seen before, its hash does not; it need not be copied to be hashed
    stored = Stored(digest_of(source), item.size)
    if item.marked or delivery_id(stored.sha256, item) in refused:
        return stored, True
    if delivery_id(stored.sha256, item) in destroyed:
        return stored, False
    source.seek(0)
    if known != stored.sha256:
        if marked(source, item.size):
            return stored, True
        source.seek(0)
    elif not item.sidecar and archive.holds(stored):
        return stored, False
    try:
        return archive.put(source, stored.sha256), False
    except Changed:
        return None, False


def _told(item: Arrived) -> tuple[Any, ...]:
    return (
        item.sender, item.period, item.file_name, item.origin, item.received_at, Jsonb(item.sidecar),
        Jsonb(without_numbers([asdict(p) for p in item.problems])), None,
    )  # fmt: skip


def _neutral(item: Arrived) -> tuple[Any, ...]:
    """What may be kept of a file that bears a marking: its folders where they are plain codes, and when it came."""
    sender, period = _place(item)
    said = Jsonb([asdict(Problem(SECRET))])
    return sender, period, NOT_KEPT, f"{period}/{sender}/{NOT_KEPT}", item.received_at, Jsonb({}), said, SECRET


def _place(item: Arrived) -> tuple[str, str]:
    """Sender and period, where they are such and nothing else that somebody wrote there."""
    sender = item.sender if _CODE.fullmatch(item.sender) and not marked_name(item.sender) else ""
    return sender, item.period if _PERIOD.fullmatch(item.period) else ""


def senders_of(connection: psycopg.Connection, deliveries: Collection[str]) -> dict[str, int]:
    """Sender -> how many of these deliveries are from there."""
    rows = connection.execute(
        "select sender, count(*) from intake.delivery where delivery_id = any (%s) group by 1 order by 1",
        [list(deliveries)],
    )
    return dict(rows.fetchall())


@dataclass(frozen=True)
class Taken:
    """What a look through the inbox came to: ids of deliveries as in :class:`Received`, the files left as growing, and the folders
    that could not be read."""

    fresh: list[str]
    growing: list[str]
    withheld: list[str]
    unreadable: list[str] = field(default_factory=list)


def withheld(delivery: Delivery) -> bool:
    """Whether the delivery was refused for a secret marking, so that the archive never had its bytes."""
    return any(p.code == SECRET for p in delivery.problems)


def kept(delivery: Delivery) -> bool:
    """Whether the archive should have the bytes."""
    return delivery.destroyed_at is None and not withheld(delivery)


_DELIVERY = (
    "delivery_id, sha256, size, sender, period, file_name, origin, received_at, sidecar, problems, "
    "destroyed_at, destroyed_why"
)


def pending(connection: psycopg.Connection) -> list[Delivery]:
    """Deliveries that nobody has read yet, in order of receipt."""
    return _deliveries(connection, "state = 'received'", {})


def deliveries_of(
    connection: psycopg.Connection, *, dataset: str | None = None, submission_id: str | None = None
) -> list[Delivery]:
    """Deliveries that were read before, in order of receipt: all, or those of one dataset or submission. Not corrections: they
    are no files that another contract could read otherwise."""
    where = (
        "state <> 'received' and sender <> 'STEWARD' and (%(dataset)s::text is null and %(id)s::text is null or delivery_id in "
        "(select s.delivery_id from intake.submission s where s.dataset = %(dataset)s or s.submission_id = %(id)s))"
    )
    return _deliveries(connection, where, {"dataset": dataset, "id": submission_id})


def _deliveries(connection: psycopg.Connection, where: str, parameters: dict[str, Any]) -> list[Delivery]:
    rows = connection.execute(
        f"select {_DELIVERY} from intake.delivery where {where} order by received_at, sha256, delivery_id", parameters
    )
    return [Delivery(*(*r[:9], tuple(Problem(**p) for p in r[9]), *r[10:])) for r in rows]
