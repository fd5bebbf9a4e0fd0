"""Whether the clock can be believed, asked before what is hard to take back: destroying bytes, writing to senders,
closing periods by themselves.

Here: this machine's clock against the database's, and against what was last written down. Not here: what a moment means.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

APART = timedelta(minutes=10)
SILENCE = timedelta(days=60)
"""Some sender sends each month; so long without a word is a machine that was off, or a clock that is ahead."""
_WRITTEN = (
    "select clock_timestamp(), greatest((select max(recorded_at) from intake.delivery), "
    "(select max(published_at) from core.publish where number > 0), (select max(started_at) from ops.source_pull))"
)


class ClockDoubted(Exception):
    """The clock may be wrong; the text says why, and what to do."""


def believed(connection: psycopg.Connection, now: datetime | None = None) -> datetime:
    """This moment, or ``now`` in its place; raises :class:`ClockDoubted`."""
    moment = now or datetime.now(UTC)
    row = connection.execute(_WRITTEN).fetchone()
    assert row is not None
    theirs, written = row
    if abs(theirs - moment) > APART:
        raise ClockDoubted(
            f"this machine says {moment:%Y-%m-%d %H:%M}, the database {theirs:%Y-%m-%d %H:%M} (UTC); set both by NTP, then again"
        )
    if written is not None and not -APART <= moment - written <= SILENCE:
        raise ClockDoubted(
            f"it is {moment:%Y-%m-%d %H:%M} (UTC) by the clock, and something was last taken in at {written:%Y-%m-%d %H:%M}: "
            "set the clock; where it is right, do this again once something has been received"
        )
    return moment
