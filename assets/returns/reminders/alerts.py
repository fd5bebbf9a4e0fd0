"""Alerts to operators: what must not wait until somebody looks.

An alert is told once, and again after three days while it holds; one that no longer holds ends by itself. Texts have ids,
codes, counts and the command that shows more: no value of a row, no file name. Here: finding and telling. Not here: who notices
that a run failed (``pipelines``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from schemas.messages import text

from .channels import Channel, Message, NotSent
from .contacts import is_webhook
from .texts import html, plain

_HERE = Path(__file__).parent
AGAIN_AFTER = timedelta(days=3)
MOMENTS = ("RUN_FAILED", "SECRET")
"""Kinds that happened, rather than hold: told once."""


@dataclass(frozen=True)
class Alert:
    """One of :data:`ops.alert`."""

    alert_id: int
    kind: str
    about: str
    params: dict[str, Any]
    first_at: datetime

    @property
    def line(self) -> str:
        """What is told."""
        return text("alert", self.kind, about=self.about, **self.params)


def happened(connection: psycopg.Connection, kind: str, about: str, now: datetime, **params: Any) -> None:
    """Write down something that happened; the same thing twice is one alert."""
    connection.execute(
        "insert into ops.alert (kind, about, params, first_at, last_at) select %(kind)s, %(about)s, %(params)s, %(now)s, %(now)s "
        "where not exists (select from ops.alert where kind = %(kind)s and about = %(about)s)",
        {"kind": kind, "about": about, "params": Jsonb(params), "now": now},
    )


def look(connection: psycopg.Connection, now: datetime) -> None:
    """Bring the alerts up to what holds now."""
    with connection.transaction():
        connection.execute("create temporary table _alert (kind text, about text, params jsonb) on commit drop")
        connection.execute((_HERE / "alerts_held.sql").read_text(encoding="utf-8"), {"now": now})
        for file in ("alerts_open", "alerts_end"):
            connection.execute(
                (_HERE / f"{file}.sql").read_text(encoding="utf-8"), {"now": now, "moments": list(MOMENTS)}
            )


def untold(connection: psycopg.Connection, now: datetime) -> list[Alert]:
    """The alerts that are to be told now, oldest first."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(
            "select alert_id, kind, about, params, first_at from ops.alert where ended_at is null "
            # told later than now: the clock was put back since
            "and (told_at is null or ((told_at <= %s or told_at > %s) and not kind = any (%s))) order by first_at, alert_id",
            [now - AGAIN_AFTER, now + AGAIN_AFTER, list(MOMENTS)],
        ).fetchall()


def holding(connection: psycopg.Connection) -> list[Alert]:
    """The alerts that hold, and what happened and was not told yet; oldest first."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(
            "select alert_id, kind, about, params, first_at from ops.alert where ended_at is null order by first_at, alert_id"
        ).fetchall()


def tell(
    connection: psycopg.Connection, operators: Sequence[str], channels: Sequence[Channel], now: datetime
) -> tuple[int, str | None]:
    """Tell operators what is untold, in one message; how many alerts were told, and why it did not go out where it did not."""
    found = untold(connection, now)
    if not found or not operators:
        return 0, None
    lines = [a.line for a in found]
    name = hashlib.sha256("|".join([now.date().isoformat(), *(str(a.alert_id) for a in found)]).encode()).hexdigest()[
        :16
    ]
    parts: list[str | list[str]] = [text("alert_letter", "head", n=len(found)), lines, text("alert_letter", "more")]
    data = {"kind": "alert", "alerts": [{"kind": a.kind, "about": a.about, **a.params} for a in found]}
    message = Message(name, (), text("letter_title", "alert", n=len(found)), plain(parts), html(parts), now, data)
    ways = {"mail": tuple(o for o in operators if not is_webhook(o)), "webhook": tuple(filter(is_webhook, operators))}
    went, faults = False, []
    for channel in channels:
        if to := ways.get(channel.name):
            try:
                channel.send(Message(**{**vars(message), "to": to}))
                went = True
            except NotSent as error:
                faults.append(f"{channel.name}: {error.kind}")
    if not went:
        return 0, "; ".join(faults) or "NO_CHANNEL"
    connection.execute(
        "update ops.alert set told_at = %(now)s, attempts = attempts + 1, "
        "ended_at = case when kind = any (%(moments)s) then %(now)s end where alert_id = any (%(ids)s)",
        {"now": now, "moments": list(MOMENTS), "ids": [a.alert_id for a in found]},
    )
    return len(found), "; ".join(faults) or None


def shown(alert: Alert) -> Mapping[str, Any]:
    """An alert for machines."""
    return {"kind": alert.kind, "about": alert.about, **alert.params, "since": alert.first_at, "text": alert.line}
