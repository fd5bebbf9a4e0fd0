"""The archive: every delivery's bytes, content-addressed, on any fsspec store, before anything parses them.

Objects are sealed one by one (:mod:`assets.intake.sealing`), each under a key of its own, and named by the hash of their
clear bytes. What is read is checked against its name on the way: a disk that lost bytes is noticed, not believed. Objects
from before sealing are clear, and are read all the same.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from .object_keys import KeyDestroyed, KeyUnknown, ObjectKeys
from .sealing import CHUNK, HEAD, Broken, Sealing, Unsealed, filled, key_of, sealed_size
from .stores import StoreFailed, modified, open_store, reaching


class Damaged(Exception):
    """A stored object is not what its name promises; the text names it by its hash."""

    def __init__(self, sha256: str, why: str = "its bytes have another hash") -> None:
        super().__init__(f"the archive's object {sha256} is damaged: {why}")


class Destroyed(Exception):
    """The bytes were destroyed as the law wants it; ``at`` and ``why`` say when and for what reason."""

    def __init__(self, sha256: str, at: datetime, why: str) -> None:
        super().__init__(f"the archive's object {sha256} was destroyed on {at.date().isoformat()} because {why}")
        self.at, self.why = at, why


class Changed(Exception):
    """The bytes are others than those that were to be stored; nothing of them was kept."""


@dataclass(frozen=True)
class Stored:
    """What is in the archive: hash and size of the bytes."""

    sha256: str
    size: int


class Archive:
    """Objects named by the SHA-256 of their bytes under one root (``file:///...``, ``memory://...``, ``s3://...``).

    Without ``keys`` objects are written, and taken, as they are: for what never leaves this process's memory.

    What the driver of a store elsewhere raises leaves as :class:`assets.intake.stores.StoreFailed`: a store that is away says
    nothing about what is in it.
    """

    def __init__(self, root: str, keys: ObjectKeys | None = None) -> None:
        self.url = root
        with self._reached():
            self.fs, self.root = open_store(root)
        self.keys = keys

    def _reached(self) -> reaching:
        return reaching("archive", self.url, FileNotFoundError)

    def must_be_there(self) -> None:
        """Of an object that is not there, before it is called lost: raises :class:`StoreFailed` where nothing at all is there, for
        then it is the archive that is not."""
        with self._reached():
            try:
                if hasattr(self.fs, "invalidate_cache"):
                    self.fs.invalidate_cache()
                there = self.fs.ls(self.root, detail=False)
            except FileNotFoundError:
                there = []
        if not there:
            raise StoreFailed(
                "the archive is empty or not there, though it was written to; see that its disk is mounted, and "
                "LIENTHONG_ARCHIVE, then run again: nothing is lost"
            )

    def path(self, sha256: str) -> str:
        """Where an object lies: two levels, so that a folder stays small."""
        return f"{self.root.rstrip('/')}/{sha256[:2]}/{sha256}"

    def put(self, source: IO[bytes], sha256: str | None = None) -> Stored:
        """Copy a stream into the archive, hashing on the way; an object appears whole or not at all.

        Bytes that are there already, whole and with their key, are not written again. Memory: one chunk of 1 MiB. ``sha256``:
        only bytes of that hash are meant; :class:`Changed` is raised, and nothing kept, where the stream has others.

        Bytes that were destroyed are taken like new ones, under a new key: who puts them has them from a new delivery. That
        a delivery of which they were destroyed is not taken up again is the ledger's (:mod:`assets.intake.ledger`).
        """
        with self._reached():
            return self._put(source, sha256)

    def _put(self, source: IO[bytes], sha256: str | None) -> Stored:
        self.fs.makedirs(self.root, exist_ok=True)
        # a name of our own until the hash is known; a crash leaves it behind, and nothing refers to it
        partial = f"{self.root.rstrip('/')}/{_PARTIAL}{uuid.uuid4().hex}"
        stored, key_id = self._copy(source, partial)
        final = self.path(stored.sha256)
        if sha256 not in (None, stored.sha256):
            self.fs.rm_file(partial)
            raise Changed("the bytes changed while they were archived")
        if self._sound(stored):
            self.fs.rm_file(partial)
        else:
            self.fs.makedirs(final.rsplit("/", 1)[0], exist_ok=True)
            self.fs.mv(partial, final)
            if self.keys is not None and key_id is not None:
                self.keys.wrote(key_id, stored.sha256)
        return stored

    def _copy(self, source: IO[bytes], to: str) -> tuple[Stored, uuid.UUID | None]:
        """Write a stream, sealed where there are keys; what it was, and its key."""
        digest, size = hashlib.sha256(), 0
        key_id = seal = None
        if self.keys is not None:
            key_id, key = self.keys.take()
            seal = Sealing(key_id, key)
        with self.fs.open(to, "wb") as target:
            if seal is not None:
                target.write(seal.head)
            more = True
            while more:
                chunk = filled(source, CHUNK)
                more = len(chunk) == CHUNK
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk if seal is None else seal.chunk(chunk))
        return Stored(digest.hexdigest(), size), key_id

    def _sound(self, stored: Stored) -> bool:
        """Whether the object lies here, whole and as this archive writes it; a clear one is not, where objects are sealed."""
        if not Archive.holds(self, stored):  # not where a layer below may hold it
            return False
        try:
            if self.keys is not None and self.key_id(stored.sha256) is None:
                return False
            with Archive.open(self, stored.sha256) as source:
                while source.read(CHUNK):
                    pass
        except (Damaged, Destroyed):
            return False
        return True

    def holds(self, stored: Stored) -> bool:
        """Whether an object of that hash and size is there (its bytes and its key are not looked at)."""
        try:
            with self._reached():
                return self.fs.size(self.path(stored.sha256)) in (stored.size, sealed_size(stored.size))
        except FileNotFoundError:
            return False

    def open(self, sha256: str) -> IO[bytes]:
        """The stored bytes as a stream, to be read from begin to end without seeking.

        Raises :class:`FileNotFoundError` where they are not (or no longer) kept, :class:`Destroyed` where their key was
        destroyed, :class:`Damaged` (at the end of the stream, or on the way) where they are not those that were stored.
        """
        with self._reached():
            source = self.fs.open(self.path(sha256), "rb")
        try:
            with self._reached():
                key_id = self._key_of(filled(source, HEAD))
                if key_id is None:
                    source.seek(0)
                    return io.BufferedReader(_Checked(source, sha256, self._reached), CHUNK)
            clear = Unsealed(source, key_id, self._key(sha256, key_id))
            return io.BufferedReader(_Checked(clear, sha256, self._reached), CHUNK)
        except BaseException:
            source.close()
            raise

    def read(self, sha256: str) -> bytes:
        """The stored bytes; raises as :meth:`open` does."""
        with self._reached():
            data: bytes = self.fs.cat_file(self.path(sha256))
        key_id = self._key_of(data)
        if key_id is not None:
            try:
                rest = io.BytesIO(data)
                rest.seek(HEAD)
                data = Unsealed(rest, key_id, self._key(sha256, key_id)).readall()
            except Broken:
                raise Damaged(sha256) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(sha256)
        return data

    def key_id(self, sha256: str) -> uuid.UUID | None:
        """The key that an object is under; None where it is clear. Raises :class:`FileNotFoundError`."""
        with self._reached(), self.fs.open(self.path(sha256), "rb") as source:
            return self._key_of(filled(source, HEAD))

    def seal(self, sha256s: Iterable[str]) -> None:
        """Seal those objects that are clear still; then destroying their keys destroys them. Again: nothing is done."""
        for sha256 in sha256s:
            if self.fs.exists(self.path(sha256)) and self.key_id(sha256) is None:
                with self.open(sha256) as source:
                    self.put(source, sha256)

    def remains(self) -> Iterator[tuple[str, uuid.UUID | None]]:
        """Files that a crash (or a copy that is being made) has left under names of their own, each with its key."""
        for path in self.fs.glob(f"{self.root.rstrip('/')}/{_PARTIAL}*"):
            try:
                with self.fs.open(path, "rb") as source:
                    yield path, self._key_of(filled(source, HEAD))
            except FileNotFoundError:  # it has its name now
                continue

    def abandoned(self, before: datetime) -> list[tuple[str, int]]:
        """Such files that nobody has written to since, each with its size in bytes."""
        if hasattr(self.fs, "invalidate_cache"):
            self.fs.invalidate_cache()
        found = self.fs.glob(f"{self.root.rstrip('/')}/{_PARTIAL}*", detail=True)
        return sorted((p, int(i["size"])) for p, i in found.items() if modified(self.fs, p, i) < before)

    def drop(self, path: str) -> bool:
        """Remove one of those; whether it was there still."""
        if not path.rsplit("/", 1)[-1].startswith(_PARTIAL):
            raise ValueError("only what has no name yet may be dropped")
        try:
            self.fs.rm_file(path)
        except FileNotFoundError:
            return False
        return True

    def _key_of(self, head: bytes) -> uuid.UUID | None:
        return None if self.keys is None else key_of(head[:HEAD])

    def _key(self, sha256: str, key_id: uuid.UUID) -> bytes:
        assert self.keys is not None
        try:
            return self.keys.find(key_id)
        except KeyDestroyed as gone:
            raise Destroyed(sha256, gone.at, gone.why) from None
        except KeyUnknown:
            raise Damaged(sha256, "the database has no key for it") from None


_PARTIAL = ".partial-"


class _Checked(io.RawIOBase):
    """A stream that is hashed as it is read."""

    def __init__(self, source: Any, sha256: str, reached: Callable[[], reaching]) -> None:
        self._source, self._sha256, self._digest, self._reached = source, sha256, hashlib.sha256(), reached

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        into = memoryview(buffer)
        try:
            with self._reached():
                data: bytes = self._source.read(len(into))
        except Broken:
            raise Damaged(self._sha256) from None
        into[: len(data)] = data
        self._digest.update(data)
        if not data and self._digest.hexdigest() != self._sha256:
            raise Damaged(self._sha256)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
