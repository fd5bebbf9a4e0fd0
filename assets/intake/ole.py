"""OLE2 compound files, the container of .xls and of password-protected workbooks: the streams at their root.

Here: sectors, allocation tables and the directory ([MS-CFB]), every chain bounded by the file's own size. Not here: what
a stream holds.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END = 0xFFFFFFFA
"""Sector numbers from here on are marks: end of chain, free, table sector."""
_NONE = 0xFFFFFFFF


class Ole:
    """The streams of a compound file. Whatever is wrong with its tables raises :class:`ValueError`."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 512 or not data.startswith(MAGIC):
            raise ValueError("header")
        self._data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise ValueError("sector size")
        self._size = 1 << shift
        _, directory, _, self._cutoff, mini_fat, _, difat = struct.unpack_from("<7I", data, 44)
        tables = [n for n in struct.unpack_from("<109I", data, 76) if n < _END]
        limit = len(data) // self._size + 1
        for _ in range(limit):
            if difat >= _END:
                break
            *more, difat = struct.unpack(f"<{self._size // 4}I", self._sector(difat))
            tables += [n for n in more if n < _END]
        if len(tables) > limit:
            raise ValueError("allocation table")
        self._fat = np.frombuffer(b"".join(self._sector(n) for n in tables), dtype="<u4")
        self._mini_fat = np.frombuffer(self._chain(mini_fat), dtype="<u4") if mini_fat < _END else self._fat[:0]
        self._entries = self._chain(directory)
        _, start, size = self._entry(0)
        self._mini = self._chain(start)[:size] if start < _END and size else b""
        self.streams = self._root_streams()
        """Name -> (first sector, size in bytes) of the streams that lie at the root."""

    def read(self, name: str) -> bytes:
        """A stream's bytes; :class:`KeyError` where there is none of that name."""
        start, size = self.streams[name]
        if size >= self._cutoff:
            found = self._chain(start)
        else:
            places = _follow(self._mini_fat, start)
            found = b"".join(self._mini[n << 6 : (n + 1) << 6] for n in places)
        if len(found) < size:
            raise ValueError("stream is cut off")
        return found[:size]

    def _sector(self, number: int) -> bytes:
        place = (number + 1) * self._size
        if place >= len(self._data):
            raise ValueError("sector outside the file")
        return self._data[place : place + self._size].ljust(self._size, b"\xff")

    def _chain(self, start: int) -> bytes:
        places = _follow(self._fat, start)
        if places and places[-1] - places[0] == len(places) - 1 and places == list(range(places[0], places[-1] + 1)):
            return self._data[(places[0] + 1) * self._size : (places[-1] + 2) * self._size]
        return b"".join(self._sector(n) for n in places)

    def _entry(self, number: int) -> tuple[bytes, int, int]:
        """Raw entry, first sector, size."""
        entry = self._entries[number * 128 : number * 128 + 128]
        if len(entry) < 128:
            raise ValueError("directory entry")
        start, size = struct.unpack_from("<II", entry, 116)
        return entry, start, size

    def _root_streams(self) -> dict[str, tuple[int, int]]:
        found = {}
        waiting, seen = list(struct.unpack_from("<I", self._entry(0)[0], 76)), set()
        while waiting:
            number = waiting.pop()
            if number == _NONE or number in seen:
                continue
            seen.add(number)
            entry, start, size = self._entry(number)
            length, kind = struct.unpack_from("<HB", entry, 64)
            waiting += struct.unpack_from("<II", entry, 68)
            if kind == 2:
                found[entry[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")] = (start, size)
        return found


def _follow(table: npt.NDArray[np.uint32], start: int) -> list[int]:
    """The sectors of a chain; a loop or a step out of the table raises :class:`ValueError`."""
    places: list[int] = []
    at, steps = start, table.tolist()
    while at < _END:
        if at >= len(steps) or len(places) >= len(steps):
            raise ValueError("chain")
        places.append(at)
        at = steps[at]
    return places
