"""Keys of archive objects: one for each, kept wrapped in the database, so that destroying a key destroys the object.

Here: taking new keys and finding those of objects. Not here: the keys that these are wrapped with
(:mod:`assets.intake.keys`), what is sealed with them (:mod:`assets.intake.sealing`).
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Protocol

import psycopg

from assets.intake.keys import Keyring, fresh, writing

_LENGTH = 32
_BLOCK = 256
"""Keys that are taken at once at most: small files by the hundred must not cost a commit each."""


class KeyDestroyed(Exception):
    """The key was destroyed, and with it what it sealed; ``at`` and ``why`` say when and for what reason."""

    def __init__(self, at: datetime, why: str) -> None:
        super().__init__(f"destroyed on {at.date().isoformat()} because {why}")
        self.at, self.why = at, why


class KeyUnknown(Exception):
    """Nobody knows a key of this id."""


class ObjectKeys(Protocol):
    """Where keys of objects are kept."""

    def take(self) -> tuple[uuid.UUID, bytes]:
        """A new key with its id; it is kept before this returns."""

    def wrote(self, key_id: uuid.UUID, sha256: str) -> None:
        """An object with that content lies under the key now."""

    def find(self, key_id: uuid.UUID) -> bytes:
        """The key; raises :class:`KeyDestroyed` and :class:`KeyUnknown`."""


@dataclass
class MemoryKeys:
    """Keys that end with this object, for tests."""

    keys: dict[uuid.UUID, bytes | KeyDestroyed] = field(default_factory=dict)
    objects: dict[uuid.UUID, str] = field(default_factory=dict)

    def take(self) -> tuple[uuid.UUID, bytes]:
        key_id, key = uuid.uuid4(), secrets.token_bytes(_LENGTH)
        self.keys[key_id] = key
        return key_id, key

    def wrote(self, key_id: uuid.UUID, sha256: str) -> None:
        self.objects[key_id] = sha256

    def find(self, key_id: uuid.UUID) -> bytes:
        found = self.keys.get(key_id)
        if isinstance(found, KeyDestroyed):
            raise found
        if found is None:
            raise KeyUnknown
        return found


@dataclass
class DatabaseKeys:
    """Keys in ``vault.object_key``, on a connection of its own: what a caller's transaction comes to says nothing of them.

    They are taken in blocks that double, so a crash, or the end of a short run, leaves as many unused keys as it used at
    worst. Which object lies under a key is written down with the next block or at the end; until then the object says so
    itself.
    """

    connect: Callable[[], psycopg.Connection]
    key_file: Path
    _connection: psycopg.Connection | None = field(default=None, init=False, repr=False)
    _keys: Keyring | None = field(default=None, init=False, repr=False)
    _block: list[tuple[uuid.UUID, bytes]] = field(default_factory=list, init=False, repr=False)
    _size: int = field(default=1, init=False, repr=False)
    _written: list[tuple[uuid.UUID, str]] = field(default_factory=list, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def take(self) -> tuple[uuid.UUID, bytes]:
        with self._lock:
            if not self._block:
                self._block = self._register(self._size)
                self._size = min(self._size * 2, _BLOCK)
            return self._block.pop()

    def wrote(self, key_id: uuid.UUID, sha256: str) -> None:
        with self._lock:
            self._written.append((key_id, sha256))

    def find(self, key_id: uuid.UUID) -> bytes:
        with self._lock:
            wrapped, version = self._wrapped(key_id)
            if self._keys is None or version not in self._keys.masters:
                self._keys = fresh(self._open(), self.key_file, self._keys)
            if version not in self._keys.masters:  # a rotation has ended in between
                wrapped, version = self._wrapped(key_id)
            return self._keys.unwrap(wrapped, version)

    def _wrapped(self, key_id: uuid.UUID) -> tuple[bytes, int]:
        row = (
            self._open()
            .execute(
                "select wrapped, key_version, destroyed_at, reason from vault.object_key where key_id = %s", [key_id]
            )
            .fetchone()
        )
        if row is None:
            raise KeyUnknown
        if row[0] is None:
            raise KeyDestroyed(row[2], row[3] or "")
        return row[0], row[1]

    def close(self) -> None:
        """Write down what is still to be written and let go of the connection."""
        with self._lock:
            if self._connection is not None:
                if not self._connection.closed:
                    self._tell()
                    self._connection.close()
                self._connection = None

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        return self._connection

    def _register(self, count: int) -> list[tuple[uuid.UUID, bytes]]:
        connection = self._open()
        self._tell()
        made = [(uuid.uuid4(), secrets.token_bytes(_LENGTH)) for _ in range(count)]
        with writing(connection, self.key_file, self._keys) as keys:
            self._keys = keys
            connection.execute(
                "insert into vault.object_key (key_id, wrapped, key_version) "
                "select k.key_id, k.wrapped, %s from unnest(%s::uuid[], %s::bytea[]) as k (key_id, wrapped)",
                [keys.current, [key_id for key_id, _ in made], [keys.wrap(key) for _, key in made]],
            )
        return made

    def _tell(self) -> None:
        if not self._written:
            return
        self._open().execute(
            "update vault.object_key k set sha256 = w.sha256 "
            "from unnest(%s::uuid[], %s::text[]) as w (key_id, sha256) where k.key_id = w.key_id",
            [[key_id for key_id, _ in self._written], [sha256 for _, sha256 in self._written]],
        )
        self._written.clear()
