"""Bounds on what a sender may hand in. Here: their names, meaning and defaults; they are checked where a file is read."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on an untrusted file, checked before or while it is unpacked; beyond them: TOO_LARGE, which names the limit.

    ``file_bytes``: a file that is read as a whole (CSVs of more than 16 MiB are read in blocks and have no bound).
    ``unpacked_bytes``: the parts that are read, together (pictures and the like are never unpacked); of a zip, all its
    files. ``ratio``: unpacked over packed size of one part of more than 16 MiB. ``cells``: rows times columns in use of
    one sheet. ``columns``: columns in use, wherever they lie. ``shared_strings``: entries of the shared string table.
    ``text_bytes``: the texts of one sheet, spelled out for each cell. ``tree_bytes``: a file that is read as one tree
    (HTML, XML, JSON), since a tree takes many times its file. ``entries``: files in a zip. ``sheets``: of a delivery.
    ``memory_bytes``: what the reading process may take for one file beyond what it needs for itself. ``seconds``:
    processor time for one file; beyond it: READER_TIMEOUT.
    """

    file_bytes: int = 256 * MIB
    unpacked_bytes: int = 512 * MIB
    ratio: int = 400
    cells: int = 16_000_000
    rows: int = 1_048_576
    columns: int = 2_048
    shared_strings: int = 4_000_000
    text_bytes: int = 512 * MIB
    tree_bytes: int = 64 * MIB
    entries: int = 1_000
    sheets: int = 1_000
    memory_bytes: int = 2_048 * MIB
    seconds: int = 120
