"""Vietnamese text in the encodings from before Unicode, and Unicode that was read in a wrong one (domain.md N1, N2).

A *code-point text* is what a program makes of legacy bytes that takes them for Windows-1252 (or Latin-1): 'TiÕng ViÖt'
for TCVN3. That is what a .VnTime cell of a workbook holds, and what the CSV reader makes of bytes that are no UTF-8. All
encodings here leave ASCII as it is, so separators, quotes and cells can be found before the encoding is known.

Here: the tables, :func:`decode` from code points, :func:`font_encoding`, and the decision between encodings by the share
of valid Vietnamese syllables. Not here: bytes and files (:mod:`.csvfile`, :mod:`.workbook`), cleaning of texts.

Sources: TCVN 5712:1993 (VN3, as the .Vn fonts have it), RFC 1456 (VISCII), VNI-Windows and VPS as their fonts have them,
Windows-1258. The control codes that VISCII and VPS give to twelve rare capitals each stay control codes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.syllables import is_consonants, is_highland, is_syllable

UNICODE = "unicode"
"""Text that is right as it stands."""

LABELS: Mapping[str, str] = {
    UNICODE: "Unicode",
    "tcvn3": "TCVN3 (ABC)",
    "tcvn3-capitals": "TCVN3 (ABC) chữ hoa",
    "vni": "VNI",
    "viscii": "VISCII",
    "vps": "VPS",
    "cp1258": "Windows-1258",
    "cp1252": "Windows-1252",
    "mojibake": "UTF-8 bị đọc nhầm là Windows-1252",
    "mojibake-twice": "UTF-8 bị đọc nhầm là Windows-1252 hai lần",
}
"""Encoding -> its name for the sender."""

OF_BYTES = ("tcvn3", "vni", "cp1258", "cp1252", "viscii", "vps")
"""What bytes that are no Unicode may be."""
OF_TEXTS = ("tcvn3", "vni", "mojibake", "mojibake-twice", "cp1258", "viscii", "vps")
"""What a text may be that arrived as Unicode: legacy text in the wrong font, or Unicode that was read wrongly."""

CONVINCING = 0.75
"""Share of valid syllables from which a decoding is believed; of real names of places 99.5 % are (others are Raglai,
Ê Đê, Tày …), of a wrong decoding of them a third at most."""
SAMPLE = 4_000
"""Distinct words that are looked at."""

# ---------------------------------------------------------------------------------------------------------------- tables

_LOWER = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ"
_TCVN3 = (
    "B5 B6 B7 B8 B9 A8 BB BC BD BE C6 A9 C7 C8 C9 CA CB AE CC CE CF D0 D1 AA D2 D3 D4 D5 D6 D7 D8 DC DD DE DF E1 E2 E3 E4 "
    "AB E5 E6 E7 E8 E9 AC EA EB EC ED EE EF F1 F2 F3 F4 AD F5 F6 F7 F8 F9 FA FB FC FD FE"
)
_HIGH = {
    "viscii": (
        "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡư"
        "àáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
    ),
    "vps": (
        "ÀẢÃẤẦẨọỗĂếềểệẮẰẲẾ\0\0ỀỂỄỐỒỔỖýỷỵỚỜỞ\0ắằẳẵặỠớÙờởỡŨỨợỪổỬỲỸÍÌộỈĨÓửữÒỎÕựầ"
        "ÁÂấẩẫậđẻÉÊẹỉễịỹƯỦồốÔỏơÈừứÚũưÝẺ\0àáâãảạă\0èéêẽìí\0ĩẴĐòóôõ\0Ơụùúủ\0ỶẼỳ"
    ),
}
"""Bytes 80 to FF in their order; NUL where there is none."""


def _cp1252(byte: int) -> str:
    """The character of a byte, as Windows has it: the five bytes without one are C1 controls."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _cp1258(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1258")
    except UnicodeDecodeError:
        return "\0"


_HIGH_BYTES = range(0x80, 0x100)
AS_CP1252 = "".join(map(chr, range(0x80))) + "".join(map(_cp1252, _HIGH_BYTES))
"""The 256 characters that legacy bytes become in a code-point text."""
_BYTE_OF = {chr(b): b for b in _HIGH_BYTES} | {_cp1252(b): b for b in _HIGH_BYTES}
_SIGNS = "\xa0°²³±·½¼¾×«»§©®™€–—‘’“”…•†‡‰"


def _single(table: Mapping[int, str]) -> dict[int, str]:
    """Byte -> letter becomes code point -> letter, for both code points that a byte may have become."""
    return {ord(c): letter for byte, letter in table.items() if letter != "\0" for c in {chr(byte), _cp1252(byte)}}


_TABLES: dict[str, dict[int, str]] = {
    "tcvn3": _single(
        dict(zip(bytes.fromhex(_TCVN3), _LOWER, strict=True)) | dict(zip(range(0xA1, 0xA8), "ĂÂÊÔƠƯĐ", strict=True))
    ),
    **{name: _single(dict(zip(_HIGH_BYTES, letters, strict=True))) for name, letters in _HIGH.items()},
    "cp1258": _single({b: _cp1258(b) for b in _HIGH_BYTES}),
    "cp1252": {},
}


def _foreign(table: Mapping[int, str]) -> re.Pattern[str]:
    """Letters and controls that the table has no meaning for: with one of them, a text is not in that encoding."""
    known = {chr(c) for c in table} | (set() if table else set(AS_CP1252) - set(map(chr, range(0x80, 0xA0))))
    odd = {chr(c) for c in range(0x80, 0x100)} | set(AS_CP1252[0x80:])
    odd = {c for c in odd if (c.isalpha() or c < "\xa0") and c not in known} - set(_SIGNS)
    return re.compile(f"[{re.escape(''.join(sorted(odd)))}{_BEYOND}]")


_BEYOND = (
    "\u0100-\u0151\u0154-\u015f\u0162-\u0177\u0179-\u017c\u017f-\u0191\u0193-\u02c5"
    "\u0300-\u036f\u0370-\u1fff\u2c00-\ud7ff\uf900-\ufffd"
)
"""Letters and marks that no byte of Windows-1252 becomes: a text with one of them has been Unicode from the beginning."""
_FOREIGN = {name: _foreign(table) for name, table in _TABLES.items()}


def _vni() -> dict[str, str]:
    """Base letter and mark -> letter, in all four cases; the base says the case."""
    tones = dict(zip("øùûõï", "\u0300\u0301\u0309\u0303\u0323", strict=True))
    circumflex = {"â": "\u0302"} | {m: "\u0302" + t for m, t in zip("àáåãä", tones.values(), strict=True)}
    breve = {"ê": "\u0306"} | {m: "\u0306" + t for m, t in zip("èéúüë", tones.values(), strict=True)}
    horned = {"ô": "ơ", "ö": "ư"}
    marks = {"a": tones | circumflex | breve, "e": tones | circumflex, "o": tones | circumflex, "u": tones, "y": tones}
    pairs = {base + mark: base + added for base, found in marks.items() for mark, added in found.items()}
    pairs |= {base + mark: letter + added for base, letter in horned.items() for mark, added in tones.items()}
    pairs |= horned | {"ñ": "đ", "ì": "ì", "í": "í", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
    found = {}
    for code, letter in pairs.items():
        letter = unicodedata.normalize("NFC", letter)
        for mark in {code[1:], code[1:].upper()}:
            found[code[0] + mark] = letter
            found[code[0].upper() + mark] = letter.upper()
    return found


_VNI = _vni()
_VNI_RE = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))
_MISREAD = _BYTE_OF | {"Ă": 0xC3}
"""Also the one byte of Vietnamese UTF-8 that Windows-1258 shows as another letter than Windows-1252."""
_MISREAD_RE = re.compile(f"[{re.escape(''.join(sorted(_MISREAD)))}]+")
_BEYOND_RE = re.compile(f"[{_BEYOND}]")
_CAPITALS = re.compile(r"[^\W\d_]+")


# -------------------------------------------------------------------------------------------------------------- decoding


def decode(text: str, encoding: str) -> str:
    """A code-point text -> the text that is meant, NFC. ``encoding``: a key of :data:`LABELS`.

    What the encoding has no meaning for stays as it is; bytes that are no UTF-8 become U+FFFD. Raises
    :class:`ValueError` for an unknown encoding.
    """
    return _decoded(text, encoding)[0]


def _decoded(text: str, encoding: str) -> tuple[str, bool]:
    """The decoded text, and whether all of it has a meaning in that encoding."""
    if text.isascii():
        return (text.upper() if encoding == "tcvn3-capitals" else text), True
    if encoding == UNICODE:
        return unicodedata.normalize("NFC", text), True
    if encoding in ("tcvn3", "tcvn3-capitals"):
        found = unicodedata.normalize("NFC", text.translate(_TABLES["tcvn3"]))
        found = found.upper() if encoding == "tcvn3-capitals" else _CAPITALS.sub(_whole_capitals, found)
        return found, not _FOREIGN["tcvn3"].search(text)
    if encoding in _TABLES:
        return unicodedata.normalize("NFC", text.translate(_TABLES[encoding])), not _FOREIGN[encoding].search(text)
    if encoding == "vni":
        rest = _VNI_RE.sub("", text)
        whole = rest.isascii() or not _FOREIGN_TO_VNI.search(rest)
        return unicodedata.normalize("NFC", _VNI_RE.sub(lambda m: _VNI[m[0]], text)), whole
    if encoding == "mojibake":
        found = unicodedata.normalize("NFC", _MISREAD_RE.sub(_reread, text))
        return found, "\ufffd" not in found and not _BEYOND_RE.search(text.replace("Ă", ""))
    if encoding == "mojibake-twice":
        once = _MISREAD_RE.sub(_reread, text)
        found, whole = _decoded(once, "mojibake")
        return found, whole and once != text
    raise ValueError(f"unknown encoding {encoding}")


_FOREIGN_TO_VNI = _foreign({ord(c): c for c in _SIGNS})


def _reread(run: re.Match[str]) -> str:
    return bytes(_MISREAD[c] for c in run[0]).decode("utf-8", "replace")


def _whole_capitals(word: re.Match[str]) -> str:
    """TCVN3 has no capitals with a tone: a word such as 'NộI' was written in capitals, for no other word is so."""
    text = word[0]
    small = [c for c in text if c.islower()]
    capitals = small and any(c.isupper() for c in text[1:]) and not any(c.isascii() for c in small)
    return text.upper() if capitals else text


_FONTS = (
    (re.compile(r"\.vn[a-z].*h$|vn(?:time|arial)h$"), "tcvn3-capitals"),
    (re.compile(r"\.vn[a-z]|vn(?:time|arial)$"), "tcvn3"),
    (re.compile(r"vni[-_ ]"), "vni"),
    (re.compile(r"vps[-_ a-z]"), "vps"),
    (re.compile(r"(?:vi[-_ ](?:times|arial|helv|courier)|.*viscii)"), "viscii"),
)
_STYLE = re.compile(r"[ ,_-]+(?:bold|italic|regular|narrow|oblique|b|i)$")


def font_encoding(font_name: str) -> str | None:
    """The encoding that a font shows: '.VnTime' -> 'tcvn3', '.VnTimeH' -> 'tcvn3-capitals', 'VNI-Times' -> 'vni'.

    None for Unicode fonts and for fonts that nothing is known of. Names are compared as Windows does, in any case.
    """
    name = font_name.strip().lstrip("@").lower()
    while (shorter := _STYLE.sub("", name)) != name:
        name = shorter
    return next((encoding for pattern, encoding in _FONTS if pattern.match(name)), None)


# ------------------------------------------------------------------------------------------------------------- deciding


@dataclass(frozen=True)
class Choice:
    """How a body of text is read.

    ``encoding``: a key of :data:`LABELS`; '' where several fit equally well or none fits: then ``rivals`` names those that
    a cell must agree in to be read. ``share``: valid syllables among the ``words`` distinct words that tell anything.
    """

    encoding: str
    share: float = 1.0
    words: int = 0
    rivals: tuple[str, ...] = ()


AS_IT_STANDS = Choice(UNICODE)
_TOKEN = re.compile(r"[A-Za-z\x80-\U0010ffff]+")
_INNER = re.compile("[\xa0\u2010-\u205e'°²³]+")
_LOOK_ALIKES = str.maketrans("ÐƉðɖ", "ĐĐđđ")


def words_of(texts: Iterable[str]) -> list[str]:
    """Distinct words with letters beyond ASCII, at most :data:`SAMPLE`: only they tell one encoding from another."""
    found: dict[str, None] = {}
    for text in texts:
        if not text.isascii():
            found.update((word, None) for word in _TOKEN.findall(text) if not word.isascii())
            if len(found) >= SAMPLE:
                break
    return list(found)[:SAMPLE]


def _verdict(word: str, whole: bool = True) -> int:
    """1: Vietnamese, -1: not, 0: says nothing (a short form, a single letter, a sign)."""
    if not whole or "\ufffd" in word:
        return -1
    valid = 0
    for part in _INNER.split(word.translate(_LOOK_ALIKES)):
        if part.isascii() or len(part) == 1 and part.isalpha() or is_consonants(part):
            continue
        if not any(c.isalpha() for c in part) and part.isprintable() and not valid and len(part) == 1:
            continue
        if any(a.islower() and b.isupper() for a, b in zip(part, part[1:], strict=False)):
            return -1
        if is_syllable(part):
            valid = 1
        elif not is_highland(part):
            return -1
    return valid


@dataclass
class _Reading:
    """All sample words under one encoding."""

    encoding: str
    words: list[str]
    """Decoded; '' where the encoding has no meaning for the word."""
    verdicts: list[int]

    @property
    def valid(self) -> int:
        return self.verdicts.count(1)

    @property
    def share(self) -> float:
        told = self.valid + self.verdicts.count(-1)
        return self.valid / told if told else 1.0

    def beats(self, other: _Reading) -> bool:
        """Whether the words that the two read differently speak for this one clearly: by two at least and three to one."""
        pairs = list(zip(self.words, self.verdicts, other.words, other.verdicts, strict=True))
        won = sum(mine > 0 > theirs for a, mine, b, theirs in pairs if a != b)
        lost = sum(theirs > 0 > mine for a, mine, b, theirs in pairs if a != b)
        return won >= lost + 2 and won >= 3 * lost

    def agrees(self, other: _Reading) -> bool:
        return self.words == other.words


def _reading(words: Sequence[str], encoding: str) -> _Reading:
    decoded = [_decoded(word, encoding) for word in words]
    return _Reading(encoding, [text if whole else "" for text, whole in decoded], [_verdict(*d) for d in decoded])


def detect(words: Sequence[str], *, arrived_as_unicode: bool) -> Choice:
    """Which encoding words (:func:`words_of`) are in.

    ``arrived_as_unicode``: they come from UTF-8, UTF-16 or a workbook, so they are what they say, unless most of them
    are no Vietnamese as they stand and clearly are in one other reading. Else they are code points of bytes in one of
    :data:`OF_BYTES`, with nothing said before. An encoding is chosen if it convinces and each other one that reads any
    word differently is clearly worse.
    """
    if arrived_as_unicode:
        as_is = _reading(words, UNICODE)
        if -1 not in as_is.verdicts or as_is.share >= 0.9:
            return Choice(UNICODE, as_is.share, as_is.valid + as_is.verdicts.count(-1))
    readings = [_reading(words, e) for e in (OF_TEXTS if arrived_as_unicode else OF_BYTES)]
    readings.sort(key=lambda r: (-r.share, -r.valid))
    best = readings[0]
    known = best.valid + best.verdicts.count(-1)
    rivals = [r for r in readings[1:] if not best.agrees(r) and not best.beats(r)]
    if arrived_as_unicode:
        if best.share >= CONVINCING and best.beats(as_is) and not rivals:
            return Choice(best.encoding, best.share, known)
        if best.share >= CONVINCING and best.valid and as_is.share < 0.5:
            tied = (UNICODE, best.encoding, *(r.encoding for r in rivals if r.share >= CONVINCING))
            return Choice("", best.share, known, tied)
        return Choice(UNICODE, as_is.share, as_is.valid + as_is.verdicts.count(-1))
    if best.share >= CONVINCING and best.valid >= 2 and not rivals:
        return Choice(best.encoding, best.share, known)
    tied = tuple(r.encoding for r in rivals if r.share >= CONVINCING)
    if best.share >= CONVINCING and best.valid >= 2 and tied:
        return Choice("", best.share, known, (best.encoding, *tied))
    return Choice("", best.share, known, OF_BYTES)


def settle(text: str, choice: Choice, *, arrived_as_unicode: bool) -> tuple[str, bool]:
    """A cell's text under the choice for the body that it lies in, and whether it can be read at all.

    A text that cannot be read comes back as it is: every rival must say the same of it, the chosen encoding must have a
    meaning for all of it, and where the body is Unicode, it must not look like another encoding by itself.
    """
    if text.isascii():
        return text, True
    if not choice.encoding:
        readings = {_decoded(text, e) for e in choice.rivals}
        return (readings.pop()[0], True) if len(readings) == 1 and next(iter(readings))[1] else (text, False)
    if choice.encoding == UNICODE:
        return text, not foreign_readings(text)
    found, whole = _decoded(text, choice.encoding)
    if not arrived_as_unicode:
        return (found, True) if whole else (text, False)
    as_is, other = (_cell_verdict(t) for t in (text, found))
    if not whole or as_is > 0 > other:
        # true Unicode among legacy cells: certain where the encoding has no meaning for it
        return text, as_is > 0 and not whole
    return found, True


def settle_by_font(texts: Sequence[str], encoding: str) -> tuple[dict[str, tuple[str, bool]], float]:
    """Settle distinct texts of cells (or runs) of one sheet in a font of that encoding; with the share of syllables.

    The font is what the sender sees the cells in, so it decides where the texts are Vietnamese both ways, unless most
    texts in that font are Unicode that was pasted into such cells: a program shows that in another font.
    """
    words = words_of(texts)
    by_font, as_is = _reading(words, encoding), _reading(words, UNICODE)
    believed = by_font.valid >= as_is.valid
    return {text: _by_font(text, encoding, believed) for text in texts}, by_font.share


def _by_font(text: str, encoding: str, believed: bool) -> tuple[str, bool]:
    if not text.isascii() and _BEYOND_RE.search(text):
        return text, True
    found, whole = _decoded(text, encoding)
    as_is, other = _cell_verdict(text), _cell_verdict(found)
    if not whole or as_is > 0 >= other:
        return text, as_is >= 0
    return (found, True) if believed or other > 0 >= as_is or found == text else (text, False)


def _cell_verdict(text: str) -> int:
    """-1 where a word of it is not Vietnamese, else 1 where one is, else 0."""
    verdicts = [_verdict(word) for word in words_of([text])]
    return min(verdicts, default=0) if -1 in verdicts else max(verdicts, default=0)


def foreign_readings(text: str) -> list[str]:
    """Encodings in which a text is Vietnamese that is not as it stands."""
    if text.isascii() or _BEYOND_RE.search(text.replace("Ă", "")) or _cell_verdict(text) >= 0:
        return []
    return [encoding for encoding in OF_TEXTS if may_be(text, encoding)]


def is_vietnamese(text: str) -> bool:
    """Whether a text is Vietnamese as it stands."""
    return _cell_verdict(text) > 0


def may_be(text: str, encoding: str) -> bool:
    """Whether a text is Vietnamese in that encoding, and another than it is as it stands."""
    if text.isascii():
        return False
    found, whole = _decoded(text, encoding)
    return whole and found != text and _cell_verdict(found) > 0


def unmarked_utf16(head: bytes) -> str | None:
    """'utf-16-le' or 'utf-16-be' for UTF-16 without its mark: digits, separators and most letters have a NUL as their
    second, or as their first, byte, and nothing else has; a stray NUL in another text is not so frequent."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if (first + second) * 8 <= len(head) or min(first, second) * 10 > max(first, second):
        return None
    return "utf-16-le" if second > first else "utf-16-be"
