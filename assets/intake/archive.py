"""The archive: every delivery's bytes, content-addressed, on any fsspec store, before anything parses them.

What is read from it is checked against its name on the way: a disk that lost bytes is noticed, not believed.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass
from typing import IO, Any

import fsspec

_CHUNK = 1 << 20


class Damaged(Exception):
    """A stored object is not what its name promises; the text names it by its hash."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"the archive's object {sha256} is damaged: its bytes have another hash")


class Changed(Exception):
    """The bytes are others than those that were to be stored; nothing of them was kept."""


@dataclass(frozen=True)
class Stored:
    """What is in the archive: hash and size of the bytes."""

    sha256: str
    size: int


class Archive:
    """Objects named by the SHA-256 of their bytes under one root (``file:///...``, ``memory://...``, ``s3://...``)."""

    def __init__(self, root: str) -> None:
        self.fs, self.root = fsspec.core.url_to_fs(root)

    def path(self, sha256: str) -> str:
        """Where an object lies: two levels, so that a folder stays small."""
        return f"{self.root.rstrip('/')}/{sha256[:2]}/{sha256}"

    def put(self, source: IO[bytes], sha256: str | None = None) -> Stored:
        """Copy a stream into the archive, hashing on the way; an object appears whole or not at all.

        Bytes that are there already, whole, are not written again. Memory: one chunk of 1 MiB. ``sha256``: only bytes of
        that hash are meant; :class:`Changed` is raised, and nothing kept, where the stream has others.
        """
        digest, size = hashlib.sha256(), 0
        self.fs.makedirs(self.root, exist_ok=True)
        # a name of our own until the hash is known; a crash leaves it behind, and nothing refers to it
        partial = f"{self.root.rstrip('/')}/.partial-{uuid.uuid4().hex}"
        with self.fs.open(partial, "wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        stored = Stored(digest.hexdigest(), size)
        final = self.path(stored.sha256)
        if sha256 not in (None, stored.sha256):
            self.fs.rm_file(partial)
            raise Changed("the bytes changed while they were archived")
        if self._sound(stored):
            self.fs.rm_file(partial)
        else:
            self.fs.makedirs(final.rsplit("/", 1)[0], exist_ok=True)
            self.fs.mv(partial, final)
        return stored

    def _sound(self, stored: Stored) -> bool:
        """Whether the object lies here, whole."""
        if not Archive.holds(self, stored):  # not where a layer below may hold it
            return False
        digest = hashlib.sha256()
        with self.fs.open(self.path(stored.sha256), "rb") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest() == stored.sha256

    def holds(self, stored: Stored) -> bool:
        """Whether an object of that hash and size is there (its bytes are not looked at)."""
        try:
            return bool(self.fs.size(self.path(stored.sha256)) == stored.size)
        except FileNotFoundError:
            return False

    def open(self, sha256: str) -> IO[bytes]:
        """The stored bytes as a stream, to be read from begin to end without seeking.

        Raises :class:`FileNotFoundError` where they are not (or no longer) kept; at the end of the stream
        :class:`Damaged` where they are not those that were stored.
        """
        return io.BufferedReader(_Checked(self.fs.open(self.path(sha256), "rb"), sha256), _CHUNK)

    def read(self, sha256: str) -> bytes:
        """The stored bytes; raises as :meth:`open` does."""
        data: bytes = self.fs.cat_file(self.path(sha256))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(sha256)
        return data


class _Checked(io.RawIOBase):
    """A stream that is hashed as it is read."""

    def __init__(self, source: Any, sha256: str) -> None:
        self._source, self._sha256, self._digest = source, sha256, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        into = memoryview(buffer)
        data: bytes = self._source.read(len(into))
        into[: len(data)] = data
        self._digest.update(data)
        if not data and self._digest.hexdigest() != self._sha256:
            raise Damaged(self._sha256)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
