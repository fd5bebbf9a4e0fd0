"""Files packed in a .zip or .gz: unpacked in memory, within bounds; nothing is written to a disk.

Here: the entries, their names and sizes. Not here: what a file in it is (:mod:`.sniff`), and its reading.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from schemas import messages
from schemas.grid import Unreadable

from .limits import MIB, Limits
from .workbook import BROKEN_PACKAGE

_LITTER = {".ds_store", "thumbs.db", "desktop.ini"}


def files_of(data: bytes, limits: Limits | None = None) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file in a zip, in its order; folders and what systems leave beside files are passed over.

    A name is a path with '/', without drive, leading '/' and '..'; one that comes twice gets a number.

    Raises :class:`Unreadable`: DAMAGED_FILE, EMPTY_ARCHIVE, PASSWORD, TOO_LARGE (``limit``), before anything is unpacked
    where the directory tells.
    """
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir() and not _is_litter(e.filename)]
            if not entries:
                raise Unreadable("EMPTY_ARCHIVE")
            if len(entries) > limits.entries:
                raise Unreadable("TOO_LARGE", limit=messages.text("limit", "entries", n=limits.entries))
            if any(e.flag_bits & 1 for e in entries):
                raise Unreadable("PASSWORD")
            # zipfile never yields more than the declared size, so the declared size is a bound.
            if sum(e.file_size for e in entries) > limits.unpacked_bytes:
                raise _too_large(limits)
            if any(e.file_size > 16 * MIB and e.file_size > limits.ratio * max(e.compress_size, 1) for e in entries):
                raise Unreadable("TOO_LARGE", limit=messages.text("limit", "ratio", n=limits.ratio))
            seen: set[str] = set()
            for entry in entries:
                name = _name(entry)
                number = 2
                while name in seen:
                    name = f"{_name(entry)} ({number})"
                    number += 1
                seen.add(name)
                yield name, archive.read(entry)
    except BROKEN_PACKAGE as error:
        raise Unreadable("DAMAGED_FILE", format="ZIP") from error


def unpacked(data: bytes, limits: Limits | None = None) -> bytes:
    """The file in a .gz (all members joined); raises :class:`Unreadable` DAMAGED_FILE or TOO_LARGE."""
    limits = limits or Limits()
    parts: list[bytes] = []
    size = 0
    try:
        while data.strip(b"\0"):  # zeros may fill the last block
            member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            while not member.eof:
                part = member.decompress(data, 4 * MIB)
                data = member.unconsumed_tail
                size += len(part)
                if size > limits.unpacked_bytes:
                    raise _too_large(limits)
                if not part and not data and not member.eof:
                    raise ValueError("cut off")
                parts.append(part)
            data = member.unused_data
    except (zlib.error, ValueError) as error:
        raise Unreadable("DAMAGED_FILE", format="GZ") from error
    return b"".join(parts)


def _too_large(limits: Limits) -> Unreadable:
    return Unreadable("TOO_LARGE", limit=messages.text("limit", "unpacked_mb", n=limits.unpacked_bytes // MIB))


def _is_litter(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return "__MACOSX" in path.parts or path.name.lower() in _LITTER or path.name.startswith("._")


def _name(entry: zipfile.ZipInfo) -> str:
    """Names without the mark of UTF-8 are mostly UTF-8 all the same, else the old code page that zipfile takes."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    parts = name.replace("\\", "/").split("/")
    return "/".join(p for p in parts if p not in ("", ".", "..") and not (len(p) == 2 and p[1] == ":")) or "?"
