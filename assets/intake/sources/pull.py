"""Pulling a source: its extract becomes a delivery, with its watermark in the same transaction; every attempt is written down.

Killed anywhere, nothing is lost and nothing comes twice: before the transaction the source stands where it stood, after it the
delivery
is there. A source that fails stops nobody else; what failed is told by kind, never in a server's words.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from assets.intake.archive import Archive
from assets.intake.inbox import Arrived
from assets.intake.ledger import not_before, receive_extract
from schemas.contract import Contract
from schemas.periods import period_of
from schemas.sources import InboxSource, NoSecret, RestSource, Source
from schemas.vietnam import local_day

from .base import Mark, News, PullFailed, Taking
from .writing import write_json_lines, write_parquet

Outcome = Literal["delivered", "unchanged", "empty", "failed", "busy"]


@dataclass(frozen=True)
class Pulled:
    """What a pull came to. ``rows`` and ``bytes`` of what was taken; ``fault`` and ``remedy`` where it failed; ``unmarked``:
    rows that have no value in the column that tells what is new (None: not counted)."""

    source: str
    outcome: Outcome
    rows: int = 0
    bytes: int = 0
    delivery_id: str | None = None
    fault: str | None = None
    remedy: str | None = None
    unmarked: int | None = None


def unmarked_text(unmarked: int, column: str) -> str:
    """What is to be said of rows without a watermark."""
    many = f"more than {unmarked - 1}" if unmarked > 1000 else str(unmarked)
    return (
        f"{many} rows have no value in {column}, which tells what is new: they are taken once at most, and never when they change; "
        "have the column filled, or leave incremental out"
    )


def pull(
    connection: psycopg.Connection,
    archive: Archive,
    source: Source,
    contract: Contract | None,
    now: datetime | None = None,
    *,
    progress: Callable[[int], None] = lambda rows: None,
    pause: float = 0.5,
    settle_seconds: float = 1.0,
) -> Pulled:
    """Take what is new. ``connection``: in autocommit. What the source does wrong is an outcome, not an exception; the
    database's own errors are raised. ``progress``: told the rows so far. Of an inbox ``rows`` counts files."""
    row = connection.execute(
        "select pg_try_advisory_lock(hashtext('lienthong.source'), hashtext(%s))", [source.id]
    ).fetchone()
    if row is None or not row[0]:
        return Pulled(source.id, "busy", remedy="somebody else is pulling it")
    crowded = True
    try:
        crowded = not _entered(connection, source)
        if crowded:
            remedy = (
                f"{source.spec.limits.at_once} of this sender's sources are being pulled (limits.at_once); pull later"
            )
            return Pulled(source.id, "busy", remedy=remedy)
        connection.execute(
            "update ops.source_pull set outcome = 'lost', ended_at = clock_timestamp() where source = %s and outcome = 'running'",
            [source.id],
        )
        number = _begin(connection, source, now)
        try:
            if isinstance(source.spec, InboxSource):
                done = _looked(connection, archive, source, settle_seconds)
            else:
                assert contract is not None
                check_fit(source, contract)
                done = _pulled(connection, archive, source, contract, now, progress, pause, number)
        except (PullFailed, NoSecret) as error:
            fault = error.fault if isinstance(error, PullFailed) else "NO_SECRET"
            remedy = error.remedy if isinstance(error, PullFailed) else str(error)
            _end(connection, number, "failed", fault=fault, now=now)
            return Pulled(source.id, "failed", fault=fault, remedy=remedy)
        if done.outcome != "delivered" or isinstance(source.spec, InboxSource):
            # what an extract delivered is written down with the delivery
            _end(connection, number, done.outcome, rows=done.rows, bytes=done.bytes, unmarked=done.unmarked, now=now)
        return done
    finally:
        if not crowded:
            connection.execute(
                "select pg_advisory_unlock_shared(hashtext('lienthong.sender'), hashtext(%s))", [source.sender]
            )
        connection.execute("select pg_advisory_unlock(hashtext('lienthong.source'), hashtext(%s))", [source.id])


_PULLING = (
    "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted and objsubid = 2 "
    "and classid = (hashtext('lienthong.sender')::bigint & 4294967295)::oid "
    "and objid = (hashtext(%s)::bigint & 4294967295)::oid "
    "and database = (select oid from pg_database where datname = current_database())"
)


def _entered(connection: psycopg.Connection, source: Source) -> bool:
    """Whether one more of the sender's sources may be pulled now; then a lock that is shared says that it is. Locks end with their
    connection, however that ends."""
    door = "(hashtext('lienthong.sender.door'), hashtext(%s))"
    connection.execute(f"select pg_advisory_lock{door}", [source.sender])
    try:
        row = connection.execute(_PULLING, [source.sender]).fetchone()
        if row is None or row[0] >= source.spec.limits.at_once:
            return False
        connection.execute(
            "select pg_advisory_lock_shared(hashtext('lienthong.sender'), hashtext(%s))", [source.sender]
        )
        return True
    finally:
        connection.execute(f"select pg_advisory_unlock{door}", [source.sender])


def check_fit(source: Source, contract: Contract) -> None:
    """Raises :class:`PullFailed` where what is taken would say something else than the contract understands."""
    if contract.delivery == "snapshot" and getattr(source.spec, "incremental", None) is not None:
        raise PullFailed(
            "NOT_WHOLE",
            f"{contract.dataset} is sent whole: what is new alone would end all the rest; leave incremental out",
        )


def _looked(connection: psycopg.Connection, archive: Archive, source: Source, settle_seconds: float) -> Pulled:
    from .folder import take

    fresh, size = take(connection, archive, source, settle_seconds)
    if not fresh:
        return Pulled(source.id, "empty")
    return Pulled(source.id, "delivered", len(fresh), size, fresh[0] if len(fresh) == 1 else None)


def _pulled(
    connection: psycopg.Connection,
    archive: Archive,
    source: Source,
    contract: Contract,
    now: datetime | None,
    progress: Callable[[int], None],
    pause: float,
    number: int,
) -> Pulled:
    known = connection.execute(
        "select watermark, boundary, sha256, period from ops.source_state where source = %s", [source.id]
    ).fetchone()
    spec = source.spec
    assert not isinstance(spec, InboxSource)
    news = News(spec.incremental, Mark.read(known[0], known[1]) if known else None)
    taking = Taking(spec.limits)
    with tempfile.TemporaryDirectory(prefix="lienthong-") as folder:
        path = Path(folder) / f"{source.sender}-{spec.name}.{'jsonl' if isinstance(spec, RestSource) else 'parquet'}"
        with _foreseen():
            rows, unmarked = _extract(path, source, news, taking, progress, pause)
            mark = news.reached()
        moment = now or datetime.now(UTC)
        if not rows:
            if spec.incremental is None and contract.delivery == "snapshot":
                # everything gone at once is more likely a fault of theirs than the end of everything
                raise PullFailed(
                    "NOTHING_LEFT",
                    "the source is empty, though a list that is sent whole would end all it had; look at it",
                )
            return Pulled(source.id, "empty", unmarked=unmarked)
        item = _item(source, contract, path, moment, not_before(connection, source.sender, moment))
        size = path.stat().st_size

        def state(cursor: psycopg.Cursor, delivery: str, sha256: str) -> None:
            cursor.execute(
                "insert into ops.source_state as s (source, watermark, boundary, sha256, period, delivery_id, taken_at) "
                "values (%s, %s, %s, %s, %s, %s, %s) on conflict (source) do update set (watermark, boundary, sha256, period, "
                "delivery_id, taken_at) = (excluded.watermark, excluded.boundary, excluded.sha256, excluded.period, "
                "excluded.delivery_id, excluded.taken_at)",
                [source.id, Jsonb(mark.stored()) if mark else None, sorted(mark.boundary) if mark else [], sha256, item.period,
                 delivery, moment],
            )  # fmt: skip
            cursor.execute(
                "update ops.source_pull set outcome = 'delivered', ended_at = %s, rows = %s, bytes = %s, "
                "delivery_id = %s, unmarked = %s where pull_id = %s",
                [moment, rows, size, delivery, unmarked, number],
            )

        with path.open("rb") as file:
            unless = known[2] if known is not None and known[3] == item.period else None
            name = receive_extract(connection, archive, item, file, state, unless=unless)
    if name is None:
        return Pulled(source.id, "unchanged", rows, unmarked=unmarked)
    return Pulled(source.id, "delivered", rows, size, name, unmarked=unmarked)


@contextmanager
def _foreseen() -> Iterator[None]:
    """What a source makes a library raise that nobody foresaw is its failure too, told by kind: its text may quote a row. What
    this machine lacks (disk, memory) is not the source's."""
    try:
        yield
    except (PullFailed, NoSecret, OSError, MemoryError):
        raise
    except Exception as error:
        raise PullFailed(
            "UNREADABLE", f"what came could not be read ({type(error).__name__}); look at what the source gives"
        ) from None


def _extract(
    path: Path, source: Source, news: News, taking: Taking, progress: Callable[[int], None], pause: float
) -> tuple[int, int | None]:
    """Rows that were written, and those without a watermark: all that a database has, of those that came from an API."""

    def told(batches: Any) -> Any:
        for batch in batches:
            yield batch
            progress(taking.rows)

    if isinstance(source.spec, RestSource):
        from . import rest

        rows = write_json_lines(path, told(news.of(rest.batches(source, news, taking, pause))), taking)
        return rows, None if news.how is None else news.unmarked
    from . import sql

    with sql.opened(source, taking) as database:
        rows = write_parquet(path, told(news.of(database.batches(news, taking))), database.kinds(), taking)
        return rows, None if news.how is None else database.unmarked(news.how.column)


def _item(source: Source, contract: Contract, path: Path, moment: datetime, received: datetime) -> Arrived:
    """The extract as something that arrived: in the period of its day, or the one before it."""
    today = local_day(moment)
    period = period_of(today, contract.period_type, contract.calendar)
    sidecar: dict[str, Any] = {"dataset": contract.dataset}
    if source.spec.period == "previous":
        period = period_of(period.first - timedelta(days=1), contract.period_type, contract.calendar)
    elif contract.valid_time == "asOf":
        sidecar["as_of"] = today.isoformat()
    origin = f"{period.label}/{source.sender}/{path.name}"
    return Arrived(str(path), origin, period.label, source.sender, path.name, received, path.stat().st_size, sidecar)


def _begin(connection: psycopg.Connection, source: Source, now: datetime | None) -> int:
    row = connection.execute(
        "insert into ops.source_pull (source, kind, started_at, outcome) values (%s, %s, coalesce(%s, "
        "clock_timestamp()), 'running') "
        "returning pull_id",
        [source.id, source.spec.kind, now],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _end(
    connection: psycopg.Connection,
    number: int,
    outcome: str,
    *,
    now: datetime | None,
    rows: int | None = None,
    bytes: int | None = None,
    fault: str | None = None,
    unmarked: int | None = None,
) -> None:
    connection.execute(
        "update ops.source_pull set outcome = %s, rows = %s, bytes = %s, fault = %s, unmarked = %s, "
        "ended_at = coalesce(%s, clock_timestamp()) where pull_id = %s",
        [outcome, rows, bytes, fault, unmarked, now, number],
    )
