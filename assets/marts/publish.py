"""Publish: readers see the whole of it or nothing of it, and it can be taken back.

Merging writes rows under an open number that nobody sees; publishing is one short transaction that moves the pointer,
writes the submissions' states and notifies; what it changes for readers (:mod:`.changes`) is written down before. One publisher
works at a time (advisory lock). A number left open by a publisher that died is swept before the next one begins, and the work
is done again from the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from assets.core.decided import decisions_first, write_down
from assets.core.merge import Merged, ever_sent, merge
from assets.staging.vault import Vault
from schemas.contract import Contract
from schemas.migrate import quote

from .changes import announce, record, remove
from .findings import Judged, find
from .indicators.catalogue import Indicator
from .indicators.compute import Indicated, compute
from .indicators.submission_log import WAIVED
from .touched import touched

_HERE = Path(__file__).parent
_LOCK = "hashtext('lienthong.publish')"

DERIVED = (
    "standing", "finding", "rule_result", "conflict", "member", "link", "mention", "doubt", "identity_run", "succession",
    "submission_log", "submission_log_run", "indicator_value", "indicator_run",
)  # fmt: skip
"""Tables of ``core`` beside the datasets' whose rows have a publish from which and to which they hold."""


class Busy(Exception):
    """Another publisher holds the lock and did not finish in the time given."""


class NoSuchPublish(Exception):
    """A number that was never published cannot be gone back to."""


@dataclass
class Prepared:
    """Merged under an open number; ``number`` is None where nothing changed."""

    number: int | None
    merged: list[Merged] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    """Rules across submissions that were evaluated."""
    indicated: Indicated | None = None
    """What the indicators came to; None where none were asked for."""


@contextmanager
def publishing(connection: psycopg.Connection, timeout_seconds: float = 600.0) -> Iterator[None]:
    """Hold the publisher's lock; raises :class:`Busy` where another has not let go of it in time."""
    connection.execute("select set_config('lock_timeout', %s, false)", [f"{int(timeout_seconds * 1000)}ms"])
    try:
        connection.execute(f"select pg_advisory_lock({_LOCK})")
    except psycopg.errors.LockNotAvailable:
        raise Busy("another publish is running; try again when it has ended") from None
    finally:
        if not connection.broken and connection.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
            connection.execute("select set_config('lock_timeout', '0', false)")
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(f"select pg_advisory_unlock({_LOCK})")


def sweep(connection: psycopg.Connection, datasets: Sequence[str]) -> list[int]:
    """Undo what publishers that died wrote under their numbers; the numbers. The caller holds the lock."""
    with connection.transaction():
        abandoned = [r[0] for r in connection.execute("select number from core.publish where state = 'open'")]
        if not abandoned:
            return []
        for table in [*DERIVED, *datasets]:
            name = f"core.{quote(table)}"
            connection.execute(f"delete from {name} where publish_from = any (%s)", [abandoned])
            connection.execute(f"update {name} set publish_to = null where publish_to = any (%s)", [abandoned])
        remove(connection, abandoned)
        connection.execute("update core.publish set state = 'swept' where number = any (%s)", [abandoned])
    return abandoned


def prepare(
    connection: psycopg.Connection,
    contracts: Sequence[Contract],
    progress: Callable[[Merged], None] | None = None,
    vault: Vault | None = None,
    indicators: Mapping[str, Indicator] | None = None,
) -> Prepared:
    """Merge every dataset under a new open number. The caller holds the lock (:func:`publishing`).

    ``vault``: what the linkage of persons asks; without it, keys alone say who is whom. ``indicators``: those to compute."""
    sweep(connection, [c.dataset for c in contracts])
    with connection.transaction():
        row = connection.execute(
            "insert into core.publish (number, kind, state, shows) "
            "select max(number) + 1, 'publish', 'open', max(number) + 1 from core.publish returning number"
        ).fetchone()
    assert row is not None
    number = int(row[0])
    done = []
    by_name = {c.dataset: c for c in contracts}
    sent = ever_sent(connection, by_name)
    for contract in decisions_first(contracts):
        if contract.dataset in sent:
            with connection.transaction():
                done.append(merge(connection, contract, number, vault, by_name))
        else:
            done.append(Merged(contract.dataset))
        if progress is not None:
            progress(done[-1])
    changed = {m.dataset for m in done if m.changed}
    since = touched(connection, by_name, number, changed)
    with connection.transaction():
        judged = find(connection, by_name, changed, since, number)
    indicated = None
    if indicators is not None:
        with connection.transaction():
            indicated = compute(connection, indicators, by_name, number, changed, since)
    if not (changed or any(j.changed for j in judged) or (indicated is not None and indicated.changed)):
        with connection.transaction():
            connection.execute("update core.publish set state = 'swept' where number = %s", [number])
        return Prepared(None, done, judged, indicated)
    with connection.transaction():
        record(connection, number, number, changed)
    return Prepared(number, done, judged, indicated)


def publish(connection: psycopg.Connection, prepared: Prepared) -> int | None:
    """Move the pointer to a prepared number, in one short transaction; the number, or None where nothing changed.

    Returns None as well where the number was swept meanwhile by another publisher, who then has published the same set, or where
    another number was shown meanwhile: readers see numbers in their order, and the next publish sweeps this one.
    """
    if prepared.number is None:
        return None
    summary = {
        m.dataset: {"opened": m.opened, "closed": m.closed, "entities": m.entities, "standings": m.standings_changed}
        for m in prepared.merged
        if m.changed
    }
    with connection.transaction():
        moved = connection.execute(
            "update core.publish set state = 'published', published_at = clock_timestamp(), summary = %s "
            "where number = %s and state = 'open' "
            "and not exists (select from core.publish l where l.state = 'published' and l.number > %s)",
            [Jsonb(summary), prepared.number, prepared.number],
        ).rowcount
        if not moved:
            return None
        states = (_HERE / "states.sql").read_text(encoding="utf-8").format(waived=WAIVED)
        connection.execute(states, {"publish": prepared.number})
        write_down(connection, prepared.number, summary)
        announce(connection, prepared.number)
        connection.execute("update core.pointer set shows = %s", [prepared.number])
    return prepared.number


def back_to(connection: psycopg.Connection, number: int, *, by: str = "pipeline") -> int:
    """Show an earlier publish again, as a publish of its own; the new number. What came after is kept, unseen, until the
    next publish; ``by`` is in the audit log. Raises :class:`NoSuchPublish`."""
    with publishing(connection), connection.transaction():
        found = connection.execute(
            "select shows from core.publish where number = %s and state = 'published'", [number]
        ).fetchone()
        if found is None:
            raise NoSuchPublish(f"there is no publish {number}")
        row = connection.execute(
            "insert into core.publish (number, kind, state, shows, published_at) "
            "select max(number) + 1, 'back_to', 'published', %s, clock_timestamp() from core.publish returning number",
            [found[0]],
        ).fetchone()
        assert row is not None
        record(connection, int(row[0]), found[0])
        announce(connection, int(row[0]))
        connection.execute("update core.pointer set shows = %s", [found[0]])
        connection.execute(
            "insert into ops.audit (who, action, reason, details) values (%s, 'back to', %s, %s)",
            [by, f"publish --back-to {number}", Jsonb({"publish": row[0], "shows": found[0]})],
        )
        return int(row[0])
