"""The installation's keys: a file of versions beside the database, from which every other key is derived.

Here: reading, making and replacing the key file, and what hangs on a version (keys for lookups, keys that wrap those of
archive objects). Not here: what is looked up (:mod:`assets.staging.vault`), the archive.

A line of the file is ``<version> <base64 of 32 bytes>``, the newest last. The database knows a fingerprint of each version, so
that another installation's file, or a lost one, is noticed before anything is written under it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

_LENGTH = 32
LOCK = "hashtext('lienthong.keys')"
"""Advisory lock: shared by who writes under the newest key, taken alone by who replaces it."""


class KeysLost(Exception):
    """The key file is missing, damaged or another installation's; the text names the file and the remedy, and no key."""


@dataclass(frozen=True)
class Keyring:
    """The versions of the master key, at least one."""

    masters: Mapping[int, bytes]

    @property
    def current(self) -> int:
        """The version that is written under."""
        return max(self.masters)

    @cached_property
    def _lookups(self) -> dict[int, bytes]:
        return {version: self._derived(version, b"lookup") for version in self.masters}

    @cached_property
    def _wraps(self) -> dict[int, bytes]:
        return {version: self._derived(version, b"wrap") for version in self.masters}

    def lookup(self, text: str, version: int | None = None) -> bytes:
        """HMAC-SHA-256 of a text under a version (the current one): 32 bytes."""
        return hmac.digest(self._lookups[version or self.current], text.encode(), "sha256")

    def wrap(self, key: bytes) -> bytes:
        """An object's key as it may be stored (RFC 3394)."""
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap

        return aes_key_wrap(self._wraps[self.current], key)

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """An object's key; raises :class:`KeysLost` where the version is not in the file or does not fit."""
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

        if version not in self.masters:
            raise KeysLost(f"version {version} of the key is not in the key file; restore the file from its backup")
        try:
            return aes_key_unwrap(self._wraps[version], wrapped)
        except InvalidUnwrap:
            raise KeysLost(f"version {version} of the key does not open what it closed") from None

    def fingerprint(self, version: int) -> str:
        """What the database may know of a version."""
        return self._derived(version, b"fingerprint").hex()[:16]

    def _derived(self, version: int, purpose: bytes) -> bytes:
        return hmac.digest(self.masters[version], b"lienthong." + purpose, "sha256")

    def with_new(self) -> Keyring:
        """The same with one more version, random."""
        return Keyring({**self.masters, self.current + 1: secrets.token_bytes(_LENGTH)})

    def only_current(self) -> Keyring:
        """Without the versions that nothing hangs on any more."""
        return Keyring({self.current: self.masters[self.current]})


def read(path: Path) -> Keyring:
    """The keys of a file; raises :class:`KeysLost`."""
    try:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
        masters = {int(version): base64.b64decode(key, validate=True) for version, key in lines}
    except FileNotFoundError:
        raise KeysLost(
            f"the key file {path.name} is missing; restore it from its backup, or name it in LIENTHONG_KEY_FILE"
        ) from None
    except (ValueError, binascii.Error):
        masters = {}
    if not masters or any(len(key) != _LENGTH for key in masters.values()):
        raise KeysLost(f"the key file {path.name} is damaged; restore it from its backup")
    return Keyring(masters)


def write(path: Path, keys: Keyring) -> None:
    """Replace the key file as a whole; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    text = "".join(f"{v} {base64.b64encode(k).decode()}\n" for v, k in sorted(keys.masters.items()))
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    partial.replace(path)
    # the database must not know a version that a power cut takes from the folder
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def open_keys(connection: psycopg.Connection, path: Path) -> Keyring:
    """The keys that this database was written under; made at the first use of a new installation.

    Raises :class:`KeysLost` where the database knows keys that the file does not have.
    """
    known = _known(connection)
    if not known:
        with connection.transaction():
            connection.execute(f"select pg_advisory_xact_lock({LOCK})")
            known = _known(connection)
            if not known:
                if not path.exists():
                    write(path, Keyring({1: secrets.token_bytes(_LENGTH)}))
                keys = read(path)
                register(connection, keys)
                return keys
    keys = read(path)
    while wrong := [v for v, mark in known.items() if v not in keys.masters or keys.fingerprint(v) != mark]:
        before, known = known, _known(connection)
        if known == before:
            raise KeysLost(
                f"the key file {path.name} is not that of this database (version {wrong[0]} of the key differs or is not in it); "
                "restore it from its backup, or name it in LIENTHONG_KEY_FILE"
            )
        keys = read(path)  # a rotation ended between the question to the database and the look into the file
    # a version that the database does not know is what a rotation that was stopped has left
    return Keyring({version: keys.masters[version] for version in known})


def fresh(connection: psycopg.Connection, path: Path, known: Keyring | None) -> Keyring:
    """The keys, read again where another process has replaced those that are ``known``; raises :class:`KeysLost`."""
    if known is not None:
        row = connection.execute("select max(version) from vault.key where retired_at is null").fetchone()
        if row is not None and row[0] == known.current:
            return known
    return open_keys(connection, path)


@contextmanager
def writing(connection: psycopg.Connection, path: Path, known: Keyring | None) -> Iterator[Keyring]:
    """A transaction in which the newest key stays the newest: what is written under it is found by the next rotation.

    Raises :class:`KeysLost` before anything is written."""
    if known is None:  # the first use makes the file, alone: two that wait here for each other would never end
        known = open_keys(connection, path)
    with connection.transaction():
        connection.execute(f"select pg_advisory_xact_lock_shared({LOCK})")
        yield fresh(connection, path, known)


def register(connection: psycopg.Connection, keys: Keyring) -> None:
    """Tell the database the fingerprints of versions that it does not know, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into vault.key (version, fingerprint) values (%s, %s) on conflict do nothing",
            [(version, keys.fingerprint(version)) for version in keys.masters],
        )


def _known(connection: psycopg.Connection) -> dict[int, str]:
    return dict(connection.execute("select version, fingerprint from vault.key where retired_at is null").fetchall())
