"""Sealed streams: bytes under a key of their own, in chunks, so that any length is written and read with the memory of one.

Here: the form of an archive object. Not here: keys (:mod:`assets.intake.object_keys`), where objects lie
(:mod:`assets.intake.archive`).

An object is ``MAGIC`` (with the form's version), the id of its key (16 bytes), then chunks of 1 MiB under AES-256-GCM with
their tags; the last chunk is shorter, and empty where the bytes end with a whole one. The STREAM construction: the nonce is
the chunk's number and a flag for the last, the head is associated data; so a chunk that is changed, moved, doubled or cut
off, or that is another object's, does not open. A nonce is never used twice, since a key seals one object.
"""

from __future__ import annotations

import io
import uuid
from typing import IO, Any

MAGIC = b"\x93LTSEAL\x01"
CHUNK = 1 << 20
HEAD = len(MAGIC) + 16
_TAG = 16


class Broken(Exception):
    """The stream is not what was sealed under this key."""


def sealed_size(size: int) -> int:
    """How long an object of so many bytes is."""
    return HEAD + size + _TAG * (size // CHUNK + 1)


def key_of(head: bytes) -> uuid.UUID | None:
    """The key that an object which begins so is under; None where it is not sealed."""
    return uuid.UUID(bytes=head[len(MAGIC) : HEAD]) if len(head) >= HEAD and head.startswith(MAGIC) else None


def filled(source: IO[bytes], size: int) -> bytes:
    """So many bytes, fewer only at the end: a raw stream gives what it has at hand."""
    data = source.read(size)
    if len(data) == size or not data:
        return data
    parts = [data]
    missing = size - len(data)
    while missing and (more := source.read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)


class _Chunks:
    """What both directions know: the cipher, the head, and the nonce of the next chunk."""

    def __init__(self, key_id: uuid.UUID, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.cipher = AESGCM(key)
        self.head = MAGIC + key_id.bytes
        self.number = 0

    def nonce(self, last: bool) -> bytes:
        self.number += 1
        return self.number.to_bytes(11, "big") + bytes([last])


class Sealing(_Chunks):
    """Seals chunks: write :attr:`head`, then each of :meth:`chunk`, the last of them shorter than ``CHUNK``."""

    def chunk(self, data: bytes) -> bytes:
        """The next chunk."""
        return self.cipher.encrypt(self.nonce(len(data) < CHUNK), data, self.head)


class Unsealed(io.RawIOBase):
    """The clear bytes of a sealed object, read from behind its head; :class:`Broken` where it is not whole."""

    def __init__(self, source: IO[bytes], key_id: uuid.UUID, key: bytes) -> None:
        self._source = source
        self._chunks = _Chunks(key_id, key)
        self._clear = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._clear and not self._ended:
            self._clear = memoryview(self._next())
        into = memoryview(buffer)
        count = min(len(into), len(self._clear))
        into[:count] = self._clear[:count]
        self._clear = self._clear[count:]
        return count

    def _next(self) -> bytes:
        from cryptography.exceptions import InvalidTag

        data = filled(self._source, CHUNK + _TAG)
        self._ended = len(data) < CHUNK + _TAG
        try:
            return self._chunks.cipher.decrypt(self._chunks.nonce(self._ended), data, self._chunks.head)
        except (InvalidTag, ValueError):
            raise Broken from None

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
