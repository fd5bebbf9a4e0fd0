"""A sender's own inbox, on any store: its files are deliveries like those of the inbox of all.

An inbox that cannot be reached is an outcome of its own and hurts nobody else's.
"""

from __future__ import annotations

import logging

import psycopg

from assets.intake.archive import Archive
from assets.intake.inbox import Look, Place, look
from assets.intake.ledger import receive
from assets.intake.stores import BadStores, StoreFailed, forget, with_secrets
from schemas.sources import InboxSource, Source

from .base import PullFailed

log = logging.getLogger(__name__)

_REFUSED = ("PermissionDenied", "SFTPPermissionDenied", "NoCredentialsError", "ClientError", "HostKeyNotVerifiable")


def place_of(source: Source) -> Place:
    """Where a sender's own files arrive; raises :class:`schemas.sources.NoSecret`."""
    spec = source.spec
    assert isinstance(spec, InboxSource)
    return Place(spec.url, source.sender, with_secrets(spec.options))


def take(
    connection: psycopg.Connection, archive: Archive, source: Source, settle_seconds: float
) -> tuple[list[str], int]:
    """Archive and write down what is new in a sender's own inbox; ids of the deliveries and their bytes. Raises
    :class:`PullFailed`."""
    place = place_of(source)
    seen = seen_in(place, settle_seconds)
    for folder in seen.unreadable:
        log.warning("%s: the folder %s cannot be read; the others are taken", source.id, folder)
    with Reaching():
        done = receive(connection, archive, place, seen.arrived)
    sizes = connection.execute(
        "select coalesce(sum(size), 0)::bigint from intake.delivery where delivery_id = any (%s)", [done.fresh]
    )
    row = sizes.fetchone()
    assert row is not None
    return done.fresh, row[0]


def seen_in(place: Place, settle_seconds: float) -> Look:
    """What lies in an inbox; raises :class:`PullFailed`."""
    with Reaching():
        fs, root = place.store()
        if not fs.exists(root):
            raise PullFailed("NO_FOLDER", "the folder of the inbox is not there; look at url, or make it")
        return look(place, settle_seconds=settle_seconds)


class Reaching:
    """What a store's driver raises, by kind; its text may quote keys and addresses."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, PullFailed) or not isinstance(error, Exception):
            return
        if isinstance(error, psycopg.Error | StoreFailed):  # ours: the database, the archive
            return
        forget()
        if isinstance(error, BadStores):
            raise PullFailed("BAD_OPTIONS", str(error)) from None
        name = type(error).__name__
        if isinstance(error, PermissionError) or name in _REFUSED:
            raise PullFailed(
                "LOGIN_REFUSED",
                "the store refuses who asks, or is not the one that is known; look at options",
            ) from None
        if isinstance(error, ImportError):
            raise PullFailed("NO_DRIVER", "the package for this kind of store is not installed") from None
        raise PullFailed(
            "UNREACHABLE", f"the store cannot be reached or failed ({name}); see that it is up, and url"
        ) from None
