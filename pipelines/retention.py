"""What may go after its time: Dagster's old runs and ticks, unnamed files that crashes left in the archive, old lines of the feed.

Not here: deliveries, rows of the warehouse and the ledger, none of which is ever touched. The board of who has sent what stays
as it is: its materialisations belong to no run, and the verdicts of checks outlive theirs.

Dagster is imported inside the functions: the command must start without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from assets.intake.archive import Archive
from assets.marts.changes import forget, forgettable

if TYPE_CHECKING:
    import dagster as dg
    from dagster._core.scheduler.instigation import InstigatorState

FEED_DAYS = 366
"""How long the change feed goes back: an app that was away for longer takes a snapshot."""
DAYS = 90
"""How long runs and ticks are kept where nobody says otherwise."""
LEAST_DAYS = 7
"""The inbox sensor looks a day back, and whoever looks for a fault some days."""
_PARTIAL_AGE = timedelta(days=1)
"""A copy into the archive takes minutes; a file under a name of its own that nobody has written to for a day is a crash's."""


@dataclass(frozen=True)
class Found:
    """What may go, or what has gone."""

    runs: int
    """Runs that ended, and what they logged."""
    runs_kept: int
    """Old runs that stay: an asset was made by them last."""
    ticks: int
    """Looks of sensors and schedules."""
    partials: int
    """Unnamed files in the archive."""
    partial_bytes: int


def plan(instance: dg.DagsterInstance, archive: Archive, now: datetime, days: int = DAYS) -> Found:
    """What :func:`clear` would remove; nothing is changed. ``days``: age from which runs and ticks may go."""
    before = _before(now, days)
    old, kept = _runs(instance, before)
    ticks = sum(len(_ticks(instance, state, before)) for state in instance.all_instigator_state())
    sizes = [size for _, size in archive.abandoned(now - _PARTIAL_AGE)]
    return Found(len(old), kept, ticks, len(sizes), sum(sizes))


def clear(instance: dg.DagsterInstance, archive: Archive, now: datetime, days: int = DAYS) -> Found:
    """Remove it; what was removed. Stopped in the middle or run twice at once: the next one removes the rest."""
    before = _before(now, days)
    old, kept = _runs(instance, before)
    for run_id in old:
        instance.delete_run(run_id)
    ticks = 0
    for state in instance.all_instigator_state():
        if found := len(_ticks(instance, state, before)):
            ticks += found
            instance.purge_ticks(state.instigator_origin_id, state.selector_id, before.timestamp())
    sizes = [size for path, size in archive.abandoned(now - _PARTIAL_AGE) if archive.drop(path)]
    return Found(len(old), kept, ticks, len(sizes), sum(sizes))


def feed_plan(connection: psycopg.Connection, now: datetime) -> int:
    """Changes that :func:`feed_clear` would take out of the feed."""
    return forgettable(connection, now - timedelta(days=FEED_DAYS))[1]


def feed_clear(connection: psycopg.Connection, now: datetime) -> int:
    """Take changes of old publishes out of the feed, not out of the warehouse; how many."""
    return forget(connection, now - timedelta(days=FEED_DAYS))[1]


def _before(now: datetime, days: int) -> datetime:
    if days < LEAST_DAYS:
        raise ValueError(f"runs are kept for {LEAST_DAYS} days at least")
    return now - timedelta(days=days)


def _runs(instance: dg.DagsterInstance, before: datetime) -> tuple[list[str], int]:
    """Runs that ended and have not changed since, oldest first, without those that made an asset last; how many those are."""
    import dagster as dg
    from dagster._core.storage.dagster_run import FINISHED_STATUSES

    ended = instance.get_run_ids(dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=before))
    entries = [record.asset_entry for record in instance.get_asset_records()]
    last = {e.last_run_id for e in entries} | {
        e.last_materialization_record.run_id for e in entries if e.last_materialization_record is not None
    }
    old = [run_id for run_id in reversed(ended) if run_id not in last]
    return old, len(ended) - len(old)


def _ticks(instance: dg.DagsterInstance, state: InstigatorState, before: datetime) -> list[object]:
    return list(instance.get_ticks(state.instigator_origin_id, state.selector_id, before=before.timestamp()))
