"""Secret markings and lists of the planning of cadres, looked for before anything of a delivery is kept.

Luật Bảo vệ bí mật nhà nước 2018 (điều 8, 11): a document of state secret bears MẬT, TỐI MẬT or TUYỆT MẬT and may go
through approved channels only; domain.md §5. The scan reads bytes as they come, in memory, and writes nothing.

Here: what a stamp is (:func:`stamped`, :func:`marked_name`) and where in bytes of any kind to look for one
(:func:`marked`). Bounds are those of the workbook reader; what lies beyond them, or in a form that cannot be scanned
(docs/secret-markings.md), is not scanned and not said to be clean. Not here: what is done about it (:mod:`.ledger`).
"""

from __future__ import annotations

import codecs
import email
import gzip
import html
import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, Any, Protocol

from .limits import Limits

_MIB = 1 << 20
_BLOCK = 4 * _MIB
_OVERLAP = 4096
"""Characters that two blocks share: more than any unit that is judged, its tags included."""
_UNIT = 200
"""Characters of the longest cell, line or title that is still taken for a stamp."""
_NESTED = 64 * _MIB
"""Bytes of a file within a file that are held in memory to be looked into."""
_DEPTH = 3
_CANDIDATES = 1_000_000
"""Places of a delivery that are judged, some seconds' work: a million rows may well say 'bảo mật' each."""
_DEAR = 20
"""What a place in binary data costs, measured in places of text."""
_LABEL = 60

# ------------------------------------------------------------------------------------------------------ what a stamp is

_LOOKALIKE = str.maketrans("МТАОІУЕКΜΤΑΟΙΥΕΚ", "MTAOIYEKMTAOIYEK")
_INVISIBLE = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufe00-\ufe0f]")


def _misread() -> dict[str, str]:
    """UTF-8 read as Windows-1252 or Latin-1, by letter of the stamps."""
    found = {}
    for letter in "ẬậỐốỆệỘộĐđ":
        data = letter.encode()
        found[data.decode("latin-1")] = letter
        found["".join(bytes([b]).decode("cp1252", "replace") if b not in _HOLES else chr(b) for b in data)] = letter
    return found


_HOLES = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_MISREAD = _misread()
# after upper(): TCVN3 (its capitals differ from its small letters by font only), VNI, Windows-1258 taken for Latin-1
_LEGACY = {
    "MËT": "MẬT", "TÈI": "TỐI", "TUYÖT": "TUYỆT", "§É": "ĐỘ", "®É": "ĐỘ", "MAÄT": "MẬT", "TOÁI": "TỐI", "TUYEÄT": "TUYỆT",
    "ÑOÄ": "ĐỘ", "MÂÒT": "MẬT", "TÔÌI": "TỐI", "TUYÊÒT": "TUYỆT", "ÐÔÒ": "ĐỘ"
}  # fmt: skip
_REPLACED = re.compile("|".join(map(re.escape, sorted({**_MISREAD, **_LEGACY}, key=len, reverse=True))))

_GAP = r"[\s_.\-–—]*"


def _spaced(*spellings: str) -> str:
    return "(?:" + "|".join(_GAP.join(word) for word in spellings) + ")"


_HIGHER = f"(?:{_spaced('TUYỆT', 'TUYET')}|{_spaced('TỐI', 'TOI')}){_GAP}{_spaced('MẬT', 'MAT')}"
_HIGHER_FIRST, _HIGHER_LAST = re.compile(_HIGHER), re.compile(f"(?<![^\\W_]){_HIGHER}$")
_PLAIN_FIRST, _PLAIN_LAST = re.compile(_spaced("MẬT")), re.compile(f"(?<![^\\W_]){_spaced('MẬT')}$")
_DECORATION = " _()[]{}<>«»\"'“”‘’*•~#!.,;:|/\\=-–—"
_NOUN = re.compile(
    r"(?:(?:ĐÓNG ?)?DẤU|TÀI ?LIỆU|VĂN ?BẢN|HỒ ?SƠ|CÔNG ?VĂN|BÁO ?CÁO|DANH ?SÁCH|TỆP|FILE|LOẠI)(?=[ _\-:]|$)"
)
_HEADS = frozenset(
    ("do", "muc", "muc do", "dau", "dau chi do", "dau chi muc do", "cap", "cap do", "phan loai", "phan loai do", "loai", "che do")
)  # fmt: skip
_LABELS = (
    _HEADS
    | {f"{head} {what}" for head in _HEADS for what in ("mat", "bao mat", "bi mat")}
    | {"classification", "secrecy", "tinh chat", "do mat cua tai lieu", "do mat van ban"}
)
_PLANNING = re.compile(
    r"\W*(?:(?:danh sach|bieu|bang|phu luc|tong hop|ho so|phe duyet|ket qua|de an)\b.{0,100}\bquy hoach\W+"
    r"|quy hoach\W+(?=.{0,50}$))"
    r"(?:cac\W+|nguon\W+)?(?:can bo|chuc danh|lanh dao|cap uy|nhan su|ban chap hanh|bch|ban thuong vu|btv|bi thu)\b"
    r"|\W*danh sach\W.{0,30}\b(?:can bo|nhan su|nguon)\b.{0,40}\bquy hoach(?!\W+(?:su dung|dat|do thi|xay dung|chung|chi tiet))\b"
)


def _clean(text: str) -> str:
    """One spelling of a text: NFC, capitals, no look-alikes, nothing invisible, legacy stamps as Unicode."""
    if "&#" in text or "&nbsp" in text:
        text = html.unescape(text)
    if "_x" in text:
        text = re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)
    text = _REPLACED.sub(lambda m: _MISREAD.get(m[0], m[0]), text)
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = unicodedata.normalize("NFC", text)
    caps = _REPLACED.sub(lambda m: _LEGACY.get(m[0], m[0]), text.upper().translate(_LOOKALIKE))
    return " ".join(caps.split())


def _bare(text: str) -> str:
    """Without diacritics, in small letters, signs as spaces."""
    plain = "".join(
        c
        for c in unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
        if not unicodedata.combining(c)
    )
    return " ".join(re.sub(r"[\W_]+", " ", plain).split()).lower()


@lru_cache(maxsize=4096)
def stamped(text: str) -> bool:
    """Whether a whole cell, line, title or header is a marking: the words alone, or with a label, a noun or brackets.

    Words in running text are none ('bảo mật', 'mật độ'), nor is a cell that denies it ('không mật', 'Độ mật: Thường').
    'MAT' alone is too common a word without its diacritics to be one. A list of the planning of cadres is one by its title.
    """
    if len(text) > 4 * _UNIT:
        return False
    clean = _clean(text)
    if len(clean) > _UNIT:
        return False
    core = clean.strip(_DECORATION)
    if last := _HIGHER_LAST.search(core):
        label = core[: last.start()].rstrip(_DECORATION.replace(":", "").replace("=", ""))
        if (
            not label
            or (label[-1] in ":=" and len(label) <= _LABEL)
            or _NOUN.fullmatch(label)
            or _bare(label) in _LABELS
        ):
            return True
    if last := _PLAIN_LAST.search(core):
        label = core[: last.start()]
        bare = _bare(label)
        # 'Độ mật' by itself is the head of a column
        if not bare or (bare in _LABELS and (bare not in _HEADS or ":" in label or "=" in label)):
            return True
    begun = core[noun.end() :].lstrip(_DECORATION) if (noun := _NOUN.match(core)) else core
    if (found := _HIGHER_FIRST.match(begun)) and _aside(begun[found.end() :], "-–—(/|,;."):
        return True
    # what could be a sentence counts where it shouts
    if (found := _PLAIN_FIRST.match(begun)) and _aside(begun[found.end() :], "-–—(/"):
        letters = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
        if not re.search(r"m[\W_]*[ậëa]|ậ|ë", letters):
            return True
    return "QUY" in clean and bool(_PLANNING.match(_bare(clean)))


_NO_STAMP_BEFORE = frozenset(
    (
        "bao", "bi", "be", "cap", "co", "da", "gap", "giap", "hop", "khong", "khuat", "lot", "man", "mau", "ngoai", "ra", "tan",
        "tham", "vang", "vung", "xuat",
    )
)  # fmt: skip
"""Words before 'mat' in a name that make it another word: bảo mật, bí mật, có mặt, họp mặt, vắng mặt …"""
_NO_STAMP_AFTER = frozenset(
    (
        "bang", "ca", "cat", "danh", "do", "doc", "duong", "dat", "hang", "kha", "khau", "lenh", "ma", "mat", "mia", "nghi", "nuoc",
        "ong", "phong", "phuong", "so", "son", "tham", "thiet", "thu", "tich", "tien", "tran", "tra", "troi", "vu", "vuon", "xich",
    )
)  # fmt: skip
"""Words after 'mat': mật độ, mật khẩu, mặt trận, mặt bằng, mặt đường, mặt nước, Mật Sơn …"""


def _aside(rest: str, signs: str) -> bool:
    """Whether what follows the words of a stamp is nothing, or set apart from them."""
    return not rest.strip(_DECORATION) or rest.lstrip()[:1] in signs


@lru_cache(maxsize=1024)
def marked_name(name: str) -> bool:
    """Whether a file's, folder's or sheet's name holds a marking: TUYỆT MẬT or TỐI MẬT in any spelling, MẬT or MAT in capitals
    as a word of its own, or 'mật' at its end or in brackets; or a list of the planning of cadres."""
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", name))).translate(_LOOKALIKE)
    stem = text.rsplit(".", 1)[0] if re.search(r"\.\w{1,5}$", text) else text
    if stamped(stem) or re.search(r"[(\[{]\s*m[ậa]t\s*[)\]}]", _clean(stem).lower()):
        return True
    words = re.findall(r"[^\W_]+", stem)
    bare = [_bare(w) for w in words]
    clean = [_clean(w) for w in words]
    for i, word in enumerate(clean):
        before, after = bare[i - 1] if i else "", bare[i + 1] if i + 1 < len(bare) else ""
        if word in ("MẬT", "MAT") and after not in _NO_STAMP_AFTER:
            if i and clean[i - 1] in ("TỐI", "TOI", "TUYỆT", "TUYET"):
                return True
            if before not in _NO_STAMP_BEFORE and (words[i].isupper() or (word == "MẬT" and not after)):
                return True
        if word in ("TUYETMAT", "TUYỆTMẬT", "TỐIMẬT", "TOIMAT"):
            return True
    return bool(
        _PLANNING.match(_bare(stem)) or re.search(r"\bquy hoach (?:can bo|cap uy|chuc danh|lanh dao)\b", _bare(stem))
    )


def marked_statement(data: bytes) -> bool:
    """Whether a sidecar bears a marking: in a value, a key or a comment."""
    text = data.decode(_encoding(data), "replace")
    return any(stamped(part) for line in text.splitlines() for part in (line, *re.split(r"[:#,{}\[\]]", line)))


# ------------------------------------------------------------------------------------------------- where it is looked for

_S = "[\\s._\\-\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufeff\u00a0]{0,6}"
_CANDIDATE = re.compile(
    f"[mMМΜＭｍ]{_S}(?:[ẬậËëÂâẠạAaАΑàáÁÀＡａ]|Áº|áº)[ÄäÒò¬\u00ac\u00ad\u00ba\u0300-\u036f]{{0,3}}{_S}[tTТΤＴｔ]"
    f"|[qQ][uU][yY]{_S}[hH][oO]"
)
"""All that may be the last word of a stamp, or begin the title of a list of planning; rare, so that the rest may be slow."""
_REFERENCE = re.compile(r"&(?:#(\d{2,6})|#[xX][0-9a-fA-F]{2,6}|nbsp|[AaEeOo]circ);")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_|\\u([0-9A-Fa-f]{4})")
"""A character in a workbook's text or in JSON."""


def _referred(found: re.Match[str]) -> str:
    return chr(int(found[1])) if found[1] and int(found[1]) < 0x110000 else html.unescape(found[0])


_HARD = "\x1e"
"""Between two cells or paragraphs."""
_JOINED = re.compile(
    r"</?(?:\w+:)?(?:r|t|rPr|span|font|b|i|u|s|em|a|strong|small|big|sub|sup|strike|dstrike|caps|smallCaps|outline|shadow|emboss|imprint|"
    r"bCs|iCs|sz|szCs|color|rFont|rFonts|rStyle|family|charset|scheme|vertAlign|condense|extend|spacing|kern|position|lang|noProof|highlight|"
    r"effect|shd|latin|ea|cs|sym|ln|solidFill|srgbClr|schemeClr|prstClr|alpha|effectLst|noFill|proofErr|bookmarkStart|bookmarkEnd)"
    r"(?:\s[^<>]*)?/?>"
)
"""Tags within a cell or paragraph: a text goes on over them."""
_SPACE = re.compile(r"<(?:br|(?:w:)?tab|text:s|text:tab|text:line-break|a:br|w:br|w:cr)\b[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")
_SECTION = re.compile(r'&(?:[LCR](?![a-z])|"[^"]*"|K[0-9A-Fa-f]{6}|\d{1,3}|[BIUESXYPNDTFAGO+\-])')
_COMPOUND_BEFORE = frozenset(["bao", "bi", "co", "niem", "khong"])
_COMPOUND_AFTER = frozenset(
    ["do", "khau", "ong", "ma", "thu", "vu", "lenh", "nghi", "phong", "danh", "thiet", "mia", "son"]
)


def marked(source: IO[bytes], size: int, limits: Limits | None = None) -> bool:
    """Whether the bytes of a delivery bear a marking, whatever they are; ``source`` can be sought and stands at its begin.

    Text of any size is looked through in blocks; of packages, each part within ``limits``. Never raises for what the bytes
    are: what cannot be taken apart is left to the reader, which refuses it.
    """
    return _Scan(limits or Limits()).look(source, size, 0)


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Scan:
    """One delivery's scan, with what is left of its bounds."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.left = limits.unpacked_bytes
        self.candidates = _CANDIDATES

    def look(self, source: IO[bytes], size: int, depth: int) -> bool:
        head = source.read(8192)
        source.seek(0)
        try:
            if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
                return self._zip(source, depth)
            if head.startswith(b"\x1f\x8b"):
                return self._gzip(source, depth)
            if head.startswith(b"PAR1"):
                return self._parquet(source)
            if size <= _NESTED and b"mime-version:" in head.lower() and self._mime(source.read(), depth):
                return True
            source.seek(0)
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, LookupError, ValueError,
                NotImplementedError, RuntimeError, OverflowError):  # fmt: skip
            source.seek(0)  # a package cut off or forged: its bytes as they stand
            return self._binary(source)
        if head.startswith(_PICTURES):
            return False
        if head.startswith(b"%PDF"):
            return self._pdf(source)
        if head.startswith(_BINARY) or _is_binary(head):
            return self._binary(source)
        if 0 in head and not head.startswith(_MARKS):
            # UTF-16 without its mark, or something binary that has as many NULs
            if self._binary(source):
                return True
            source.seek(0)
        return self._text(source, head)

    # --------------------------------------------------------------------------------------------------------- packages

    def _zip(self, source: IO[bytes], depth: int) -> bool:
        package = zipfile.ZipFile(source)
        if package.comment and self._in_bytes(package.comment):
            return True
        for info in package.infolist():
            # the parts of an office package have fixed names; what people pack has names of theirs
            if marked_name(info.filename.rsplit("/", 1)[-1]):
                return True
            if info.is_dir() or info.flag_bits & 1 or info.filename.lower().endswith(_DULL):
                continue
            if info.file_size > 16 * _MIB and info.file_size > self.limits.ratio * max(info.compress_size, 1):
                continue
            if info.file_size > self.left:
                continue
            self.left -= info.file_size
            try:
                if self._part(package, info, depth):
                    return True
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
                continue  # a damaged part hides no other
        return False

    def _part(self, package: zipfile.ZipFile, info: zipfile.ZipInfo, depth: int) -> bool:
        if info.file_size <= _BLOCK:
            data = package.read(info)
            if data.startswith((b"<", b"\xef\xbb\xbf<")) and 0 not in data[:4]:
                if not _NEAR.search(data):
                    return False
                text = data.decode("utf-8", "replace")
                return self._in_text(text, markup=True) or (
                    "\ufffd" in text and self._in_text(data.decode("latin-1"), markup=True)
                )
            if not _PROMISING.search(data):
                return depth < _DEPTH and data.startswith(_PACKED) and self.look(io.BytesIO(data), len(data), depth + 1)
            return (
                self.look(io.BytesIO(data), len(data), depth + 1) if depth < _DEPTH else self._binary(io.BytesIO(data))
            )
        with package.open(info) as part:
            head = part.read(8192)
            if head.startswith(_PACKED):
                if depth >= _DEPTH or info.file_size > _NESTED:
                    return False
                data = head + part.read()
                return self.look(io.BytesIO(data), len(data), depth + 1)
            if head.startswith(_PICTURES):
                return False
            if _is_binary(head) or info.filename.lower().endswith(".bin"):
                return self._binary(part, head)
            return self._text(part, head, begun=True)

    def _gzip(self, source: IO[bytes], depth: int) -> bool:
        with gzip.GzipFile(fileobj=source) as inner:
            data = inner.read(min(_NESTED, self.left) + 1)
            if len(data) <= _NESTED:
                self.left -= len(data)
                return depth < _DEPTH and self.look(io.BytesIO(data), len(data), depth + 1)
            if data.startswith(_PACKED):
                return False
            head, self.left = data, self.left - len(data)
            bounded = _Bounded(inner, self.left)
            return self._binary(bounded, head) if _is_binary(head[:8192]) else self._text(bounded, head, begun=True)

    def _mime(self, data: bytes, depth: int) -> bool:
        """The parts of a page saved with all that belongs to it, each decoded."""
        parts = (
            part.get_payload(decode=True) for part in email.message_from_bytes(data).walk() if not part.is_multipart()
        )
        return depth < _DEPTH and any(
            self.look(io.BytesIO(p), len(p), depth + 1) for p in parts if isinstance(p, bytes)
        )

    def _pdf(self, source: IO[bytes]) -> bool:
        data = source.read(_NESTED)
        if self._in_bytes(data):
            return True
        for found in re.finditer(rb"stream\r?\n", data):
            if self.left <= 0:
                return False
            try:
                text = zlib.decompressobj().decompress(data[found.end() : found.end() + _BLOCK], min(_BLOCK, self.left))
            except zlib.error:
                continue
            self.left -= len(text)
            if self._in_bytes(text):
                return True
        return False

    # ------------------------------------------------------------------------------------------------------------ texts

    def _text(self, source: _Readable, head: bytes, begun: bool = False) -> bool:
        """Text in blocks; ``begun``: the head has been read already."""
        encoding = _encoding(head)
        start = head[:8192].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        markup, separator = start.startswith("<"), _separator(start)
        decoders: list[Any] = [codecs.getincrementaldecoder(encoding)("replace")]
        tails = [""]
        first = True
        for block, last in _blocks(source, head if begun else b""):
            texts = [decoder.decode(block, last) for decoder in decoders]
            if len(decoders) == 1 and "\ufffd" in texts[0]:
                # not all of it Unicode: the letters of legacy stamps, each as the character that its byte is
                decoders.append(codecs.getincrementaldecoder("latin-1")())
                texts.append(block.decode("latin-1"))
                tails.append("")
            for n, text in enumerate(texts):
                text = tails[n] + text
                if self._in_text(text, markup=markup, separator=separator, first=first, last=last):
                    return True
                tail = text[-_OVERLAP:]
                tails[n] = tail[max(tail.find("<"), 0) :] if markup else tail
            first = False
        return False

    def _binary(self, source: _Readable, head: bytes = b"") -> bool:
        tail = b""
        for block, _ in _blocks(source, head):
            if self._in_bytes(tail + block):
                return True
            tail = block[-_OVERLAP:]
        return False

    # --------------------------------------------------------------------------------------------------------- judgement

    def _candidates(self, pattern: re.Pattern[Any], data: Any, cost: int) -> Iterator[re.Match[Any]]:
        """Places that may be a stamp, until those of the delivery have cost what may be spent on them."""
        for found in pattern.finditer(data):
            self.candidates -= cost
            if self.candidates < 0:
                return
            yield found

    def _in_text(self, text: str, *, markup: bool, separator: str = "", first: bool = True, last: bool = True) -> bool:
        """Whether a piece of text bears a marking; ``first`` and ``last``: its begin and end are those of the whole."""
        if "&" in text and _REFERENCE.search(text):
            text = _REFERENCE.sub(_referred, text)
        if "_x" in text or "\\u" in text:
            text = _ESCAPED.sub(lambda m: chr(int(m[1] or m[2], 16)), text)
        if not markup:
            return self._in_plain(text, separator, first, last)
        if not _CANDIDATE.search(text) and not (
            "<r>" in text or ":r>" in text or ":r " in text or "<span" in text or "<b>" in text
        ):
            return False
        text = text.replace("<!--", "<x>").replace("<![CDATA[", "").replace("]]>", "")
        if any(_attribute(text, *found.span()) for found in self._candidates(_CANDIDATE, text, 1)):
            return True
        text = _TAG.sub(_HARD, _SPACE.sub("\n", _JOINED.sub("", text)))
        return self._in_plain(text, _HARD, first, last)

    def _in_plain(self, text: str, separator: str, first: bool, last: bool) -> bool:
        """Whether a cell or line of the text is a stamp. ``separator``: what stands between cells on a line; then quotes may
        wrap a cell, and what stands in quotes is one cell."""
        for found in self._candidates(_CANDIDATE, text, 1):
            for unit in _units(text, found.start(), found.end(), separator, first, last):
                if _bears(unit):
                    return True
        return False

    def _in_bytes(self, data: bytes) -> bool:
        """Whether a text within binary data is a stamp: one whose length stands before it, or a run of letters."""
        if not _PROMISING.search(data):
            return False
        return any(
            any(map(_bears, _strings(data, *found.span(), width)))
            for pattern, width in ((_WIDE, 2), (_NARROW, 1))
            for found in self._candidates(pattern, data, _DEAR)
        )

    def _parquet(self, source: IO[bytes]) -> bool:
        """The names and distinct texts of a Parquet file, a batch at a time."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(source)
            said = [
                *file.schema_arrow.names,
                *(v.decode("utf-8", "replace") for v in (file.metadata.metadata or {}).values()),
            ]
            if any(map(stamped, said)):
                return True
            texts = [
                f.name for f in file.schema_arrow if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
            ]
            for batch in file.iter_batches(batch_size=65_536, columns=texts) if texts else ():
                for column in batch.columns:
                    short = pc.unique(column.filter(pc.less_equal(pc.binary_length(column), 4 * _UNIT)))
                    if self._in_plain(_HARD + _HARD.join(t for t in short.to_pylist() if t) + _HARD, _HARD, True, True):
                        return True
        except pa.ArrowException as error:
            raise ValueError("not a Parquet file that can be read") from error
        return False


class _Bounded(io.RawIOBase):
    """At most so many bytes of a stream."""

    def __init__(self, source: Any, most: int) -> None:
        self._source, self._left = source, most

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._source.read(max(0, min(size if size >= 0 else self._left, self._left)))
        self._left -= len(data)
        return data


def _blocks(source: _Readable, head: bytes) -> Iterator[tuple[bytes, bool]]:
    """The stream in blocks, each with whether it is the last."""
    block = head + source.read(max(_BLOCK - len(head), 0))
    while True:
        following = source.read(_BLOCK)
        yield block, not following
        if not following:
            return
        block = following


_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def _encoding(head: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):  # fmt: skip
        if head.startswith(mark):
            return name
    nuls = [head[parity:4096:2].count(0) for parity in (0, 1)]
    if max(nuls) * 8 > len(head[:4096]):
        return "utf-16-be" if nuls[0] > nuls[1] else "utf-16-le"
    return "utf-8"


def _separator(start: str) -> str:
    """The sign between the cells of a text: the most frequent of its first lines outside quotes."""
    plain = re.sub(r'"[^"]*"', "", start[:4096])
    return max(",;|", key=plain.count) if any(s in plain for s in ",;|") else ""


def _bears(unit: str) -> bool:
    """Whether a cell or line is a stamp, or has one between the codes of a printed header ('&CMẬT&RTrang &P')."""
    return stamped(unit) or ("&" in unit and any(map(stamped, _SECTION.split(html.unescape(unit)))))


def _attribute(text: str, start: int, end: int) -> bool:
    """Whether the attribute of a tag that holds this place is a stamp (the name of a sheet, the text of a watermark)."""
    opened = text.rfind("<", max(start - _OVERLAP, 0), start)
    if opened < 0 or text.find(">", opened, start) >= 0:
        return False
    for quote in "\"'":
        left, right = text.rfind(quote, opened, start), text.find(quote, end, end + _UNIT)
        if left > 0 and right > 0 and text[left - 1] == "=":
            value = html.unescape(text[left + 1 : right])
            return stamped(value) or (
                re.search(r"(?:^<|:)sheet\s|table:table\s", text[opened : opened + 20]) is not None
                and marked_name(value)
            )
    return False


def _units(text: str, start: int, end: int, separator: str, first: bool, last: bool) -> Iterator[str]:
    """The cell, or else the line, around a place; none where it is longer than a stamp or goes on beyond the piece."""
    low, high = max(start - 2 * _UNIT, 0), min(end + 2 * _UNIT, len(text))
    marks = {"\t", _HARD, "\x00", separator} - {""}
    if separator != _HARD:
        line = text.rfind("\n", 0, start) + 1
        if text.count('"', line, start) % 2 or _value(text, start, end):
            marks = {'"'}
        else:
            marks.add('"')
    left = max((text.rfind(m, low, start) for m in marks), default=-1)
    ends = [p for m in marks if (p := text.find(m, end, high)) >= 0]
    lines = [p for m in "\n\r" if (p := text.find(m, end, high)) >= 0]
    begun = max(text.rfind(m, low, start) for m in "\n\r")
    whole_left = left if left >= 0 else -1 if low == 0 and first else None
    whole_right = min(ends) if ends else len(text) if high == len(text) and last else None
    if whole_left is not None and whole_right is not None:
        yield text[whole_left + 1 : whole_right]
    # a line of a cell, or a line of the file
    if begun < 0 and not lines:
        return
    line_left = max(begun, left)
    if line_left < 0 and not (low == 0 and first):
        return
    stops = [*lines, *ends]
    if not stops and not (high == len(text) and last):
        return
    line_right = min(stops, default=len(text))
    alone = text[line_left + 1 : line_right]
    if stamped(alone) and not _compound(text, line_left, line_right):
        yield alone


def _value(text: str, start: int, end: int) -> bool:
    """Whether a place stands right between two quotes (a value of JSON or YAML)."""
    return text[max(start - 40, 0) : start].rstrip("( [{*")[-1:] == '"' and '"' in text[end : end + 40]


def _compound(text: str, left: int, right: int) -> bool:
    """Whether the lines around make another word of it ('Bảo' above 'mật', 'độ' below)."""
    before = _bare(text[max(left - 20, 0) : max(left, 0)]).split()[-1:] if left >= 0 and text[left] in "\r\n" else []
    after = _bare(text[right : right + 20]).split()[:1] if right < len(text) and text[right] in "\r\n" else []
    return bool(_COMPOUND_BEFORE.intersection(before) or _COMPOUND_AFTER.intersection(after))


# ---------------------------------------------------------------------------------------------------------- binary forms

_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1", b"%PDF")
_BINARY = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"SQLite format 3", b"7z\xbc\xaf\x27\x1c", b"Rar!")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*")
_DULL = (
    ".rels",
    "[content_types].xml",
    ".png",
    ".jpeg",
    ".jpg",
    ".gif",
    ".emf",
    ".wmf",
    ".tif",
    ".tiff",
    ".bmp",
    "theme1.xml",
    ".odttf",
)
_PROMISING = re.compile(
    rb"\xba[\xac\xad]|\xcc[\xa3\x82]|[\xcb\xeb][tT]|\xc3[\x8b\xab]|[\xc4\xe4][tT]|\xc3[\x84\xa4]|\xf2[tT]|\xc3[\xb2\x92]|\xac\x1e|\xad\x1e"
    rb"|(?<![a-zA-Z])[mM][aA][tT]|(?:[tT][oO][iI]|[yY][eE][tT])[mM][aA][tT]|[mM]\x00[aA]\x00|&#|_x1[eE]|[mM]\s?[aA]\s|[qQ][uU][yY].?[hH]|[qQ]\x00[uU]\x00|\xbc\xad|\xbd\x8d"
)
"""What must stand in bytes that bear a marking, in any encoding."""
_BETWEEN = (
    rb"(?:[\s._\-]|<[^<>]{0,400}>|\xc2[\xa0\xad]|\xe2\x80[\x80-\xbf]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xcc[\x80-\xbf]"
    rb"|\xcd\x8f|&#(?:160|173|8203|10|13|32|9);|&nbsp;|_x[0-9a-fA-F]{4}_)*+"
)
_NEAR = re.compile(
    rb"[mM\x9c\xbc\xad\x8dqQ\xef_](?:(?<=[mM\x9c\xbc\xad\x8d])"
    + _BETWEEN
    + rb"(?:[\xcb\xeb]|\xe1\xba[\xac\xad\xa0\xa1]|\xc3[\x8b\xab\x82\xa2\x81\xa1\x80\xa0]|[\xc2\xe2][\xf2\xd2]"
    rb"|&#(?:785[23]|784[01]|194|226|203|235|65|97|[xX])|&[aAeE]circ;|\xef\xbc\xa1|\xef\xbd\x81|\xd0[\x90\xb0]|\xce[\x91\xb1]|_x1[eE]"
    rb"|\\u1[eE]|[aA](?:\xcc|\xc3[\x84\xa4]|[\xc4\xe4]|&#(?:8|7|1|2|[xX])|" + _BETWEEN + rb"[tT](?![a-zA-Z])))"
    rb"|(?<=[qQ])[uU][yY]" + _BETWEEN + rb"[hH][oO]|(?<=\xef)(?:\xbc\xad|\xbd\x8d)|(?<=_)x[0-9a-fA-F]{4}_[^<]{0,4}_x)"
)
"""The same for markup, whose tags may stand between letters: an 'm' and what may be 'ậ' after it. All begin with one set of
bytes, for which the search runs through data three times as fast."""
_WIDE_GAP = rb"(?:[ .\xa0]\x00|[\x00-\x6f]\x03|[\x0b-\x0f]\x20){0,3}"
_WIDE = re.compile(
    rb"[mM]\x00" + _WIDE_GAP + rb"(?:[\xac\xad]\x1e|[aA\xc2\xe2]\x00|[\xa0\xa1]\x1e|[\xcb\xeb]\x00)"
    rb"(?:[\xc4\xe4]\x00)?" + _WIDE_GAP + rb"[tT]\x00|[qQ]\x00[uU]\x00[yY]\x00 \x00[hH]\x00"
)
_NARROW = re.compile(
    rb"[mM][ .]{0,2}(?:\xe1\xba[\xac\xad]|[aA](?:\xcc[\x80-\xbf]){2}|\xe1\xba[\xa0\xa1]\xcc\x82|\xc3[\x82\xa2]\xcc\xa3"
    rb"|[\xcb\xeb]|[aA][\xc4\xe4]|[\xc2\xe2]\xf2|[aA])[ .]{0,2}[tT]|[qQ][uU][yY] [hH][oO]"
)
_IN_TEXT = re.compile("[ -~\u00a0-\u024f\u0300-\u036f\u1e00-\u1eff\u2010-\u203a]")


def _strings(data: bytes, start: int, end: int, width: int) -> Iterator[str]:
    """The texts that a place in binary data may belong to. In .xls a string has its length in characters as one or two
    bytes and a byte of flags before it, in .xlsb as four bytes, in Parquet and the properties of a document in bytes."""
    encoding = "utf-16-le" if width == 2 else "utf-8"
    for begin in range(start, max(start - _UNIT * width, 0), -width):
        for count in _counts(data, begin, width):
            if end - begin <= count * width <= _UNIT * width and begin + count * width <= len(data):
                yield _decoded(data[begin : begin + count * width], encoding).rstrip("\0")
    low, high = start, end
    while low - width >= 0 and start - low < _UNIT * width and _letter(data, low - width, width):
        low -= width
    while high + width <= len(data) and high - end < _UNIT * width and _letter(data, high, width):
        high += width
    run = _decoded(data[low:high], encoding)
    yield run
    yield run.lstrip("\u0100")
    yield from re.split(r"[\r\n\t()]", run)[:20]


def _counts(data: bytes, begin: int, width: int) -> Iterator[int]:
    """Lengths that the bytes before a place may state for a string that begins there."""
    for more in (0, 2, 4, 6):  # after the flags: the number of formats, the size of what phonetic writing needs
        if begin >= 3 + more and data[begin - 1 - more] == (width - 1) | (8 if more & 2 else 0) | (
            4 if more & 4 else 0
        ):
            yield data[begin - 3 - more] | data[begin - 2 - more] << 8
    if begin >= 2 and data[begin - 1] == width - 1:
        yield data[begin - 2]
    if begin >= 4:
        yield int.from_bytes(data[begin - 4 : begin], "little")


def _letter(data: bytes, at: int, width: int) -> bool:
    if width == 1:
        return data[at] >= 32
    return bool(_IN_TEXT.match(chr(data[at] | data[at + 1] << 8)))


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1") if encoding == "utf-8" else data.decode(encoding, "replace")


def _is_binary(head: bytes) -> bool:
    if head.startswith(_MARKS) or _encoding(head) != "utf-8":
        return False
    odd = len(head) - len(head.translate(None, bytes(set(range(32)) - {9, 10, 12, 13})))
    return odd * 20 > len(head)
