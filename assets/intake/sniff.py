"""What a delivery's bytes really are, whatever the file is called.

Here: the decision by which reader a file is read, or that it is refused, made from the content, with the code that the
sender is told. Not here: the readers, and whether the name or path is right.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from schemas import messages
from schemas.grid import Problem, Unreadable

from . import ole
from .encodings import unmarked_utf16
from .workbook import BROKEN_PACKAGE

_OLE2_DOCUMENTS = {"WordDocument": ".doc", "PowerPoint Document": ".ppt"}
_DOCUMENTS = (
    (b"%PDF", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"BM", ".bmp"),
)
_ARCHIVES = ((b"7z\xbc\xaf\x27\x1c", ".7z"), (b"Rar!", ".rar"), (b"BZh", ".bz2"), (b"\xfd7zXZ\x00", ".xz"))
_BIFF = (b"\x09\x08", b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
"""Begins of an old workbook without its container, as some programs write it."""
_OFFICE_DOCUMENTS = (("word/document.xml", ".docx"), ("ppt/presentation.xml", ".pptx"))
_PAGE = re.compile(
    r"<(?:!doctype html|html|head|body|meta|table|thead|tbody|tr|style|div|center|font|span|form|script|link|title|p|h[1-6])"
    r"[\s>/]|<!--"
)
_JSON = re.compile(r"\[\s*(?:[\[{\]]|$)|\{\s*(?:[\"}]|$)")
_WORKBOOK_NAMES = {".xlsx", ".xlsm", ".xltx", ".xls", ".xlsb", ".ods"}
_PAGE_NAMES = {".html", ".htm", ".xhtml", ".mht", ".mhtml"}
HEAD = 8192
"""Bytes that tell a text from other things. What needs the whole of a package (zip, OLE2) is refused by fewer."""

Reader = Literal["xlsx", "xlsb", "xls", "ods", "xmlsheet", "html", "mhtml", "csv", "json", "parquet", "zip", "gz"]


@dataclass(frozen=True)
class Sniffed:
    """What the bytes are, and what is to be said about it (CSV_AS_WORKBOOK, HTML_AS_WORKBOOK)."""

    kind: Reader
    problems: tuple[Problem, ...] = field(default=())


def sniff(data: bytes, file_name: str) -> Sniffed:
    """Decide by content how a file is read; the name only adds a warning or settles what a short text is.

    Raises :class:`Unreadable` with EMPTY_FILE, DAMAGED_WORKBOOK, PASSWORD, NOT_A_TABLE, UNSUPPORTED_ARCHIVE or
    UNSUPPORTED_FORMAT (``format``). Bytes that are text in any encoding pass as CSV.
    """
    suffix = PurePosixPath(file_name).suffix.lower()
    if not data:
        raise Unreadable("EMPTY_FILE")
    if data.startswith(ole.MAGIC):
        return _ole2(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip(data, suffix)
    if data.startswith((b"PAR1", b"PARE")):
        return Sniffed("parquet")
    if data.startswith(b"\x1f\x8b"):
        return Sniffed("gz")
    if data.startswith(_BIFF):
        return Sniffed("xls")
    _refuse(data, suffix)
    head = _head_text(data[:HEAD]).lstrip("\ufeff \t\r\n").lower()
    if not head and not data[:HEAD].strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0") and not data[HEAD:].strip():
        raise Unreadable("EMPTY_FILE")
    if (markup := _markup(head)) is not None:
        page = markup in ("html", "mhtml") and suffix not in _PAGE_NAMES
        return Sniffed(markup, (Problem("HTML_AS_WORKBOOK"),) if page else ())
    if _JSON.match(head) or (suffix in (".json", ".jsonl", ".ndjson") and not _is_binary(data[:HEAD])):
        return Sniffed("json")
    if _is_binary(data[:HEAD]):
        raise Unreadable("UNSUPPORTED_FORMAT", format=suffix or messages.text("format", "binary"))
    problems = (Problem("CSV_AS_WORKBOOK"),) if suffix in _WORKBOOK_NAMES else ()
    return Sniffed("csv", problems)


def _refuse(data: bytes, suffix: str) -> None:
    """Documents, pictures, archives and others that are known by their first bytes."""
    for magic, name in _DOCUMENTS:
        if data.startswith(magic) and (len(magic) > 2 or _is_binary(data[:HEAD])):
            raise Unreadable("NOT_A_TABLE", format=name)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" or data[4:12] in (b"ftypheic", b"ftypmif1", b"ftypavif"):
        raise Unreadable("NOT_A_TABLE", format=suffix or messages.text("format", "picture"))
    for magic, name in _ARCHIVES:
        if data.startswith(magic):
            raise Unreadable("UNSUPPORTED_ARCHIVE", format=name)
    if data[257:262] == b"ustar":
        raise Unreadable("UNSUPPORTED_ARCHIVE", format=".tar")
    if data.startswith(b"SQLite format 3"):
        raise Unreadable("UNSUPPORTED_FORMAT", format=".sqlite")


def _ole2(data: bytes) -> Sniffed:
    """By the streams at the container's root: documents can hold workbooks deeper in."""
    try:
        names = set(ole.Ole(data).streams)
    except (ValueError, LookupError) as error:
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Unreadable("PASSWORD") from error
        raise Unreadable("DAMAGED_WORKBOOK") from error
    if "EncryptedPackage" in names:
        raise Unreadable("PASSWORD")
    for stream, name in _OLE2_DOCUMENTS.items():
        if stream in names:
            raise Unreadable("NOT_A_TABLE", format=name)
    if names & {"Workbook", "Book"}:
        return Sniffed("xls")
    raise Unreadable("UNSUPPORTED_FORMAT", format="OLE2")


def _zip(data: bytes, suffix: str) -> Sniffed:
    """By its parts: the packages of office programs are zips like any other."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = {i.filename.replace("\\", "/").lstrip("/").lower(): i for i in package.infolist()}
            mime = b""
            if (info := names.get("mimetype")) is not None and info.file_size < 200 and not info.flag_bits & 1:
                mime = package.read(info)
    except BROKEN_PACKAGE as error:
        if suffix == ".zip":
            raise Unreadable("DAMAGED_FILE", format="ZIP") from error
        raise Unreadable("DAMAGED_WORKBOOK") from error
    if "xl/workbook.xml" in names:
        return Sniffed("xlsx")
    if "xl/workbook.bin" in names:
        return Sniffed("xlsb")
    for part, name in _OFFICE_DOCUMENTS:
        if part in names:
            raise Unreadable("NOT_A_TABLE", format=name)
    if b"opendocument" in mime and b"spreadsheet" not in mime:
        raise Unreadable("NOT_A_TABLE", format=".odt")
    if "encrypted-package" in names and mime:
        raise Unreadable("PASSWORD")
    if "content.xml" in names:
        return Sniffed("ods")
    if "_rels/.rels" in names:  # an office package whose workbook has another place: the reader follows the relations
        return Sniffed("xlsx")
    return Sniffed("zip")


def _head_text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    if unmarked := unmarked_utf16(head):
        return head.decode(unmarked, "replace")
    return head.decode("utf-8", "replace")


def _markup(head: str) -> Reader | None:
    """HTML and XML are told apart from a CSV whose first cell merely begins with '<'."""
    if head.startswith("mime-version:") or (head.startswith("from:") and "mime-version:" in head):
        return "mhtml"
    if not head.startswith("<"):
        return None
    if "<html" not in head:
        if "urn:schemas-microsoft-com:office:spreadsheet" in head:
            return "xmlsheet"
        if "urn:oasis:names:tc:opendocument:xmlns:office" in head:
            if "opendocument.text" in head or "opendocument.presentation" in head:
                raise Unreadable("NOT_A_TABLE", format=".fodt")
            return "ods"
    if _PAGE.match(head) or (head.startswith("<?xml") and "<html" in head):
        return "html"
    if head.startswith("<?xml"):
        raise Unreadable("UNSUPPORTED_FORMAT", format=".xml")
    return None


def _is_binary(head: bytes) -> bool:
    """More than one in ten bytes a control character, or one in five a NUL: no text in any 8-bit encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or unmarked_utf16(head):
        return False
    odd = len(head) - len(head.translate(None, bytes(set(range(1, 32)) - {9, 10, 12, 13})))
    nul = head.count(0)
    return odd * 10 > len(head) or nul * 5 > len(head)
