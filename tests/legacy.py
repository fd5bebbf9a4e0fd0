"""Writers of the old encodings, for tests: what a machine of 1998 would have put into a file.

Each table is stated here once more, letter by letter in the order of :data:`LOWER`, so that a slip in the reader's table
shows; only what the encoding cannot write at all is refused (:class:`ValueError`).
"""

from __future__ import annotations

import unicodedata

LOWER = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ"
TCVN3 = "µ¶·¸¹¨»¼½¾Æ©ÇÈÉÊË®ÌÎÏÐÑªÒÓÔÕÖ×ØÜÝÞßáâãä«åæçèé¬êëìíîïñòóô\xadõö÷øùúûüýþ"
TCVN3_CAPITALS = dict(zip("ĂÂÊÔƠƯĐ", "¡¢£¤¥¦§", strict=True))
VNI = (
    "aø aû aõ aù aï aê aè aú aü aé aë aâ aà aå aã aá aä ñ eø eû eõ eù eï eâ eà eå eã eá eä ì æ ó í ò oø oû oõ où oï oâ oà "
    "oå oã oá oä ô ôø ôû ôõ ôù ôï uø uû uõ uù uï ö öø öû öõ öù öï yø yû yõ yù î"
)
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def tcvn3(text: str) -> str:
    """As code points; of capitals only those without a tone can be written."""
    table = dict(zip(LOWER, TCVN3, strict=True)) | TCVN3_CAPITALS
    return "".join(c if c.isascii() else _known(table, c) for c in text)


def vni(text: str) -> str:
    """As code points, marks of capitals as capitals."""
    table = dict(zip(LOWER, VNI.split(" "), strict=True))
    table |= {c.upper(): code.upper() for c, code in table.items()}
    return "".join(c if c.isascii() else _known(table, c) for c in text)


def cp1258(text: str) -> bytes:
    """As Windows writes it: letters with their shapes composed, tones apart where there is no letter with them."""
    return "".join(c if _in_cp1258(c) else _apart(c) for c in unicodedata.normalize("NFC", text)).encode("cp1258")


def mojibake(text: str, times: int = 1) -> str:
    """UTF-8 read as Windows-1252, bytes without a character as C1 controls."""
    for _ in range(times):
        text = "".join(_of_byte(b) for b in text.encode())
    return text


def _known(table: dict[str, str], letter: str) -> str:
    if letter not in table:
        raise ValueError("no such letter in this encoding")
    return table[letter]


def _in_cp1258(letter: str) -> bool:
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        return False
    return True


def _apart(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    tones = "".join(c for c in parts if c in _TONES)
    return unicodedata.normalize("NFC", "".join(c for c in parts if c not in _TONES)) + tones


def _of_byte(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)
