"""A zip written anew from another: entries that stay are copied as they are packed, without unpacking them.

Not here: which entries stay, and what stands in them (:mod:`.package`).
"""

from __future__ import annotations

import copy
import io
import struct
import zipfile
from collections.abc import Collection, Mapping

_LOCAL_HEAD = 30
"""Bytes of an entry's local header before its name (APPNOTE.TXT 4.3.7)."""
_DESCRIPTOR = 0x08
"""Flag: sizes stand behind the data; here they are known, and stand before it."""


def rewritten(data: bytes, written: Mapping[str, bytes], dropped: Collection[str]) -> bytes:
    """The zip with some entries written anew (those it lacks come last), some left out, and the others copied.

    Names are those of the directory. Of a name that comes twice the last counts, as readers take it. Raises
    :class:`zipfile.BadZipFile` where entries overlap, since they would be copied several times.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        entries = {info.filename: info for info in source.infolist()}
        if sum(info.compress_size for info in entries.values()) > len(data):
            raise zipfile.BadZipFile("entries overlap")
        for name, info in entries.items():
            if name in written:
                _write(target, name, written[name])
            elif name not in dropped:
                _copy(data, info, target)
        for name, content in written.items():
            if name not in entries:
                _write(target, name, content)
    return out.getvalue()


def _write(target: zipfile.ZipFile, name: str, content: bytes) -> None:
    # a time of our own would make two workbooks of the same answer differ
    target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _copy(data: bytes, info: zipfile.ZipInfo, target: zipfile.ZipFile) -> None:
    head = data[info.header_offset : info.header_offset + _LOCAL_HEAD]
    if len(head) < _LOCAL_HEAD or not head.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile("local header")
    name_size, extra_size = struct.unpack("<HH", head[26:])
    start = info.header_offset + _LOCAL_HEAD + name_size + extra_size
    packed = data[start : start + info.compress_size]
    if len(packed) != info.compress_size:
        raise zipfile.BadZipFile("entry is cut off")
    entry = copy.copy(info)
    entry.flag_bits &= ~_DESCRIPTOR
    entry.extra = b""
    assert target.fp is not None
    entry.header_offset = target.fp.tell()
    # zipfile has no call that takes packed bytes: what its own writing does at the end of an entry
    target.fp.write(entry.FileHeader(zip64=False))
    target.fp.write(packed)
    target.filelist.append(entry)
    target.NameToInfo[entry.filename] = entry
    target.start_dir = target.fp.tell()
    target._didModify = True  # type: ignore[attr-defined]
