"""Reminders and alerts of an installation: what its settings, contacts and contracts make of the plain functions.

Here: who is written to, by which ways, at a moment. Not here: the plan, texts and channels (``assets.returns.reminders``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from assets.returns.reminders import alerts
from assets.returns.reminders.channels import Channel, Mail, Webhook
from assets.returns.reminders.contacts import BadContacts, read_contacts
from assets.returns.reminders.plan import Letter, plan
from assets.returns.reminders.send import Off, Round, is_on, send_letters

from .clock import ClockDoubted, believed
from .flow import Pipeline
from .settings import Settings


@dataclass
class Noticed:
    """What a round came to. ``reminders``: None while sending is off; ``untold``: why alerts did not go out."""

    reminders: Round | None
    alerts: int
    untold: str | None


@contextmanager
def channels(settings: Settings) -> Iterator[list[Channel]]:
    """The ways out that the settings have."""
    found: list[Channel] = []
    if settings.webhook_secret is not None:
        found.append(Webhook(settings.webhook_secret))
    if settings.mail is None:
        yield found
        return
    with Mail(settings.mail) as mail:
        yield [mail, *found]


def planned(pipeline: Pipeline, connection: psycopg.Connection, now: datetime) -> list[Letter]:
    """The letters of a moment, by what is expected then; nothing is sent."""
    pipeline.expect(connection, now)
    return plan(connection, now, pipeline.settings.reminders)


def remind(pipeline: Pipeline, connection: psycopg.Connection, now: datetime) -> Round:
    """Send the letters of the moment; raises :class:`assets.returns.reminders.send.Off` and ``BadContacts``."""
    settings = pipeline.settings
    if not is_on(connection):
        raise Off
    contacts = read_contacts(settings.contacts_file, pipeline.senders)
    pipeline.expect(connection, now)
    with channels(settings) as ways:
        return send_letters(connection, pipeline.contracts, contacts, ways, now, settings.reminders, settings.help_by)


def notice(pipeline: Pipeline, connection: psycopg.Connection, now: datetime | None = None) -> Noticed:
    """A round of both: reminders, where they are sent, then alerts. A file of contacts that is wrong, or a clock that cannot be
    believed, stops no alert. ``now``: without it this moment."""
    done, wrong = None, None
    moment, now = now, now or datetime.now(UTC)
    try:
        if moment is None:
            believed(connection, now)
        done = remind(pipeline, connection, now)
    except Off:
        pass
    except (BadContacts, ClockDoubted) as error:
        wrong = str(error).splitlines()[0]
    alerts.look(connection, now)
    with channels(pipeline.settings) as ways:
        told, untold = alerts.tell(connection, pipeline.settings.operators, ways, now)
    return Noticed(done, told, wrong or untold)
