"""What a delivery's bytes really are, whatever the file is called.

Here: the decision workbook / CSV / refused, made from the content, with the code that the sender is told. Not here:
reading either of them (:mod:`.workbook`, :mod:`.csvfile`), and whether the name or path is right.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from schemas.grid import Problem, Unreadable

_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE2_STREAMS = (("Workbook", ".xls"), ("Book", ".xls"), ("WordDocument", ".doc"), ("PowerPoint Document", ".ppt"))
_MAGIC = (
    (b"%PDF", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"\x1f\x8b", ".gz"),
    (b"7z\xbc\xaf\x27\x1c", ".7z"),
    (b"Rar!", ".rar"),
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"PAR1", ".parquet"),
    (b"SQLite format 3", ".sqlite"),
)
_ZIP_PARTS = (
    ("xl/workbook.bin", ".xlsb"),
    ("word/document.xml", ".docx"),
    ("ppt/presentation.xml", ".pptx"),
    ("content.xml", ".ods"),
)
_WORKBOOK_NAMES = {".xlsx", ".xlsm", ".xltx", ".xls", ".xlsb"}
_HEAD = 8192


@dataclass(frozen=True)
class Sniffed:
    """What the bytes are, and what is to be said about it (CSV_AS_WORKBOOK)."""

    kind: Literal["xlsx", "csv"]
    problems: tuple[Problem, ...] = field(default=())


def sniff(data: bytes, file_name: str) -> Sniffed:
    """Decide by content how a file is read; the name only adds a warning or tells JSON from text.

    Raises :class:`Unreadable` with EMPTY_FILE, DAMAGED_WORKBOOK, PASSWORD, HTML_AS_WORKBOOK or UNSUPPORTED_FORMAT
    (``format``). Bytes that are text in an unknown encoding pass as CSV: :mod:`.csvfile` answers NOT_UTF8.
    """
    suffix = PurePosixPath(file_name).suffix.lower()
    if not data:
        raise Unreadable("EMPTY_FILE")
    if data.startswith(_OLE2):
        raise _ole2(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip(data)
    for magic, name in _MAGIC:
        if data.startswith(magic):
            raise Unreadable("UNSUPPORTED_FORMAT", format=name)
    head = _head_text(data[:_HEAD]).lstrip("\ufeff \t\r\n").lower()
    if not head and not data[:_HEAD].strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0") and not data[_HEAD:].strip():
        raise Unreadable("EMPTY_FILE")
    if head.startswith("<") or head.startswith("mime-version:"):
        _refuse_markup(head, suffix)
    if suffix in (".json", ".jsonl", ".ndjson") and head[:1] in ("{", "["):
        raise Unreadable("UNSUPPORTED_FORMAT", format=".json")
    if _is_binary(data[:_HEAD]):
        raise Unreadable("UNSUPPORTED_FORMAT", format=suffix or "nhị phân")
    problems = (Problem("CSV_AS_WORKBOOK"),) if suffix in _WORKBOOK_NAMES else ()
    return Sniffed("csv", problems)


def _ole2(data: bytes) -> Unreadable:
    """Names of streams stand in the container's directory as UTF-16: no need to walk its allocation table."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return Unreadable("PASSWORD")
    for stream, name in _OLE2_STREAMS:
        if stream.encode("utf-16-le") in data:
            return Unreadable("UNSUPPORTED_FORMAT", format=name)
    return Unreadable("UNSUPPORTED_FORMAT", format="OLE2")


def _zip(data: bytes) -> Sniffed:
    try:
        names = {n.replace("\\", "/").lower() for n in zipfile.ZipFile(io.BytesIO(data)).namelist()}
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, OSError, ValueError) as error:
        raise Unreadable("DAMAGED_WORKBOOK") from error
    if "xl/workbook.xml" in names:
        return Sniffed("xlsx")
    for part, name in _ZIP_PARTS:
        if part in names:
            raise Unreadable("UNSUPPORTED_FORMAT", format=name)
    if "_rels/.rels" in names:  # an office package whose workbook has another place: the reader follows the relations
        return Sniffed("xlsx")
    raise Unreadable("UNSUPPORTED_FORMAT", format=".zip")


def _head_text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8", "replace")


def _refuse_markup(head: str, suffix: str) -> None:
    """HTML and XML are told apart from a CSV whose first cell merely begins with '<'."""
    if "schemas-microsoft-com:office:spreadsheet" in head and head.startswith("<?xml"):
        raise Unreadable("UNSUPPORTED_FORMAT", format="XML Spreadsheet 2003")
    tags = ("<!doctype html", "<html", "<head", "<body", "<meta", "<table", "<style", "<div", "<!--", "mime-version:")
    if head.startswith(tags) or (head.startswith("<?xml") and "<html" in head):
        if suffix in (".html", ".htm", ".mht", ".mhtml"):
            raise Unreadable("UNSUPPORTED_FORMAT", format=suffix)
        raise Unreadable("HTML_AS_WORKBOOK")
    if head.startswith("<?xml"):
        raise Unreadable("UNSUPPORTED_FORMAT", format=".xml")


def _is_binary(head: bytes) -> bool:
    """More than one in ten bytes a control character, or one in five a NUL: no text in any 8-bit encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    odd = len(head) - len(head.translate(None, bytes(set(range(1, 32)) - {9, 10, 12, 13})))
    nul = head.count(0)
    # UTF-16 without its mark: NULs at one parity only. The CSV reader answers it with NOT_UTF8.
    utf16 = max(head[0::2].count(0), head[1::2].count(0)) > 0.9 * nul and nul * 4 > len(head)
    return odd * 10 > len(head) or (nul * 5 > len(head) and not utf16)
