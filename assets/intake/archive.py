"""The archive: every delivery's bytes, content-addressed, on any fsspec store, before anything parses them."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import IO, Any

import fsspec

_CHUNK = 1 << 20


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

    def put(self, source: IO[bytes]) -> Stored:
        """Copy a stream into the archive, hashing on the way; an object appears whole or not at all.

        Bytes that are there already are not written again. Memory: one chunk of 1 MiB.
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
        if self.fs.exists(final) and self.fs.size(final) == size:
            self.fs.rm_file(partial)
        else:
            self.fs.makedirs(final.rsplit("/", 1)[0], exist_ok=True)
            self.fs.mv(partial, final)
        return stored

    def open(self, sha256: str) -> IO[bytes]:
        """The stored bytes as a stream; :class:`FileNotFoundError` where they are not (or no longer) kept."""
        opened: Any = self.fs.open(self.path(sha256), "rb")
        return opened  # type: ignore[no-any-return]

    def read(self, sha256: str) -> bytes:
        """The stored bytes."""
        data: bytes = self.fs.cat_file(self.path(sha256))
        return data
