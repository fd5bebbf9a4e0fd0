"""The vault: clear identifiers of persons, and the random subjects that stand for them everywhere else.

Here: registering identifiers, finding and revealing them, rotating the key of the lookups. Not here: what a contract keeps in
the vault (:attr:`schemas.contract.Column.vaulted`), commands about one person (:mod:`assets.core.person`).

A subject is a random number, so nothing that is derived from it says anything about the identifier to those who cannot read
the vault. Lookups are keyed hashes: who reads the table without the key file can confirm no guess.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row

from assets.intake.keys import LOCK, Keyring, open_keys, register, write, writing

PERSONAL_ID, RECORD = "personal_id", "record"
"""Kinds: numbers on identity cards; what makes a row without a readable key itself when it is sent again."""
_HERE = Path(__file__).parent
_REGISTER = (_HERE / "vault_register.sql").read_text(encoding="utf-8")
_STATUS = (_HERE / "vault_status.sql").read_text(encoding="utf-8")


@dataclass
class Vault:
    """The vault of a database, written on connections of its own: what is registered stays so, whatever else fails.

    ``keep``: False where nothing may be written (a preview); new subjects are then good for this object's life only.
    """

    connect: Callable[[], psycopg.Connection]
    key_file: Path
    keep: bool = True
    _connection: psycopg.Connection | None = field(default=None, init=False, repr=False)
    _keys: Keyring | None = field(default=None, init=False, repr=False)
    _scratch: dict[tuple[str, str], int] = field(default_factory=dict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> psycopg.Connection:
        """Its own connection, in autocommit."""
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        return self._connection

    @property
    def keys(self) -> Keyring:
        """The keys; raises :class:`assets.intake.keys.KeysLost`."""
        if self._keys is None:
            self._keys = open_keys(self.connection, self.key_file)
        return self._keys

    def subjects(self, texts: pl.Series, kind: str = PERSONAL_ID) -> pl.Series:
        """The subject of each identifier (Int64, null for null), registered where it is new."""
        return self.seal({"value": texts}, kind)["value"]

    def seal(self, columns: dict[str, pl.Series], kind: str = PERSONAL_ID) -> dict[str, pl.Series]:
        """Columns of clear identifiers (String) -> the same with subjects (Int64), in one round trip."""
        wanted = pl.concat([s.drop_nulls() for s in columns.values()]).unique().sort() if columns else pl.Series([])
        if wanted.is_empty():
            return {name: pl.Series(name, [None] * s.len(), dtype=pl.Int64) for name, s in columns.items()}
        with self._lock:
            known = self._known(wanted.to_list(), kind)
        texts, subjects = list(known), list(known.values())
        return {
            name: s.replace_strict(texts, subjects, default=None, return_dtype=pl.Int64)
            for name, s in columns.items()
        }  # fmt: skip

    def _known(self, texts: list[str], kind: str) -> dict[str, int]:
        if not self.keep:
            found = self.find(texts, kind)
            for text in texts:
                if text not in found:
                    found[text] = self._scratch.setdefault((kind, text), _random())
            return found
        with writing(self.connection, self.key_file, self._keys) as keys:
            self._keys = keys
            rows = self.connection.execute(
                _REGISTER,
                {
                    "kind": kind,
                    "values": texts,
                    "lookups": [keys.lookup(text) for text in texts],
                    "subjects": [_random() for _ in texts],
                    "version": keys.current,
                },
            ).fetchall()
        return dict(rows)

    def find(self, texts: Iterable[str], kind: str = PERSONAL_ID) -> dict[str, int]:
        """The subjects of those identifiers that are known."""
        texts = list(texts)
        # a rotation between the making of a lookup and its use would hide what is there
        with writing(self.connection, self.key_file, self._keys) as keys:
            self._keys = keys
            rows = self.connection.execute(
                "select w.value, i.subject from unnest(%s::text[], %s::bytea[]) as w (value, lookup) "
                "join vault.identifier i on i.kind = %s and i.lookup = w.lookup",
                [texts, [keys.lookup(text) for text in texts], kind],
            ).fetchall()
        return dict(rows)

    def reveal(self, subjects: pl.Series) -> pl.Series:
        """The clear identifier of each subject (String; null where erased or null): for memory only."""
        wanted = subjects.drop_nulls().unique().to_list()
        rows = self.connection.execute(
            "select subject, value from vault.identifier where subject = any (%s)", [wanted]
        ).fetchall()
        found = {r[0]: r[1] for r in rows}
        found |= {subject: text for (_, text), subject in self._scratch.items()}
        return subjects.replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.String)

    def status(self) -> dict[str, Any]:
        """What the database knows, by version of the key: versions [{version, fingerprint, created_at, retired_at, identifiers,
        objects}], erased, destroyed, unused (keys that no object is known to lie under). The key file is checked, not shown.

        Raises :class:`assets.intake.keys.KeysLost`."""
        open_keys(self.connection, self.key_file)
        with self.connection.cursor(row_factory=dict_row) as cursor:
            versions = cursor.execute(_STATUS).fetchall()
            counts = cursor.execute(
                "select (select count(*) from vault.identifier where erased_at is not null) as erased, "
                "(select count(*) from vault.object_key where wrapped is null) as destroyed, "
                "(select count(*) from vault.object_key where wrapped is not null and sha256 is null) as unused"
            ).fetchone()
        assert counts is not None
        return {"versions": versions, **counts}

    def rotate(self) -> int:
        """Put everything under a new key and forget the old one; the new version. A rotation that was stopped is finished.

        The file holds both versions until the database has the new one, so at no moment is anything without its key.
        """
        with self._lock:
            connection = self.connection
            # held until the file is as it is to be: a rotation of another process would find the file of neither
            connection.execute(f"select pg_advisory_lock({LOCK})")
            try:
                with connection.transaction():
                    keys = open_keys(connection, self.key_file).with_new()
                    write(self.key_file, keys)
                    register(connection, keys)
                    _renew(connection, keys)
                self._keys = keys.only_current()
                write(self.key_file, self._keys)
            finally:
                if not connection.broken:
                    connection.execute(f"select pg_advisory_unlock({LOCK})")
            return keys.current


def _renew(connection: psycopg.Connection, keys: Keyring) -> None:
    """Put everything under the newest version and retire the others, in the caller's transaction."""
    for rows in _batches(connection, "select subject, kind, value from vault.identifier where lookup is not null"):
        connection.execute(
            "update vault.identifier i set lookup = n.lookup, key_version = %s "
            "from unnest(%s::bigint[], %s::bytea[]) as n (subject, lookup) where i.subject = n.subject",
            [keys.current, [r[0] for r in rows], [keys.lookup(r[2]) for r in rows]],
        )
    for rows in _batches(
        connection, "select key_id, wrapped, key_version from vault.object_key where wrapped is not null"
    ):
        connection.execute(
            "update vault.object_key k set wrapped = n.wrapped, key_version = %s "
            "from unnest(%s::uuid[], %s::bytea[]) as n (key_id, wrapped) where k.key_id = n.key_id",
            [keys.current, [r[0] for r in rows], [keys.wrap(keys.unwrap(r[1], r[2])) for r in rows]],
        )
    connection.execute("update vault.identifier set key_version = %s where lookup is null", [keys.current])
    connection.execute("update vault.object_key set key_version = %s where wrapped is null", [keys.current])
    connection.execute(
        "update vault.key set retired_at = clock_timestamp() where version <> %s and retired_at is null", [keys.current]
    )


def _batches(connection: psycopg.Connection, query: str, size: int = 20_000) -> Iterable[list[tuple[Any, ...]]]:
    with connection.cursor("rotation") as cursor:
        cursor.itersize = size
        cursor.execute(query)
        while rows := cursor.fetchmany(size):
            yield rows


def _random() -> int:
    return secrets.randbits(63)
