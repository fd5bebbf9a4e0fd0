"""Text folding: the one place that says when two Vietnamese texts are the same.

Here: cleaning of invisible differences (NFC, odd spaces, zero-width marks, look-alikes of Đ) and three comparison keys,
each for one ``str`` (``*_one``) and vectorised for a polars expression or series (``*_expr``, or without ending); both
forms give the same result for every character assigned in Unicode 14. Not here: what a value means
(:mod:`schemas.semantic`), which header is meant.

============== ============================================================ =======================
key            keeps                                                        'Xã  MỸ Hoà (cũ)' gives
============== ============================================================ =======================
``clean``      case, accents, punctuation                                   'Xã MỸ Hoà (cũ)'
``match_key``  accents, punctuation; one tone placement (domain.md N2, N3)  'xã mỹ hoà (cũ)'
``place_key``  as match_key, with i for y (N4; places only, never persons)  'xã mĩ hoà (cũ)'
``fold``       letters and digits                                           'xa my hoa cu'
============== ============================================================ =======================
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeVar

import polars as pl

Text = TypeVar("Text", pl.Expr, pl.Series)
"""A polars expression or series of strings."""

_SPACES = "[\\t\\n\\x0b\\x0c\\r \\x85\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+"
_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
_LOOK_ALIKES = {"Ð": "Đ", "Ɖ": "Đ", "ð": "đ", "ɖ": "đ", **dict.fromkeys(_INVISIBLE, "")}
_TONES = "\u0300\u0301\u0309\u0303\u0323"

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With these a text begins that a spreadsheet would run as a formula; some take their full-width forms for them."""


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


_TONE_PLACE = {_nfc(a + t + b): _nfc(a + b + t) for a, b in ("oa", "oe", "uy") for t in _TONES}
"""'hòa' -> 'hoà': the tone moves to the second vowel, where 'hoàn' and 'quý' have it already."""
_Y_TO_I = {
    start + _nfc("y" + t): start + _nfc("i" + t) for start in (*"bcdđghklmnpqrstvx", "qu") for t in ("", *_TONES)
}
"""A 'y' straight after a consonant or 'qu' sounds as 'i' ('Mỹ' = 'Mĩ', 'Quy' = 'Qui'); not in 'Thuý', 'Tây'."""
_UNCLEAN = (
    "[^!-~ \u00a1-\u00ac\u00ae-\u00cf\u00d1-\u00ef\u00f1-\u0188\u018a-\u024f\u1e00-\u1eff"
    "\u2010-\u2027\u2030-\u205e\u20ab]|  |^ | $"
)
"""Matches every text that cleaning changes (and some that it does not): composed Latin letters need no work."""
_MARKS = "[\\u0300-\\u036f]"


def _replacer(table: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, table)))


_UNCLEAN_RE = re.compile(_UNCLEAN)
_LOOK_ALIKES_RE, _TONE_PLACE_RE, _Y_TO_I_RE = map(_replacer, (_LOOK_ALIKES, _TONE_PLACE, _Y_TO_I))


def clean_one(text: str) -> str:
    """NFC, Đ for its look-alikes, plain single spaces, nothing invisible, trimmed. Quotes and dashes stay."""
    if _UNCLEAN_RE.search(text) is None:
        return text
    text = _LOOK_ALIKES_RE.sub(lambda m: _LOOK_ALIKES[m[0]], text)
    return _nfc(re.sub(_SPACES, " ", text).strip(" "))


def clean_expr(text: Text) -> Text:
    """:func:`clean_one`, vectorised; null stays null. Of a series, only the texts that need it are touched."""
    if isinstance(text, pl.Series):
        unclean = text.str.contains(_UNCLEAN).fill_null(False)
        if not unclean.any():
            return text
        if not unclean.all():
            return text.clone().scatter(unclean.arg_true(), clean_expr(text.filter(unclean)))
    text = text.str.replace_many(list(_LOOK_ALIKES), list(_LOOK_ALIKES.values()))
    return text.str.replace_all(_SPACES, " ").str.strip_chars(" ").str.normalize("NFC")


def match_key_one(text: str) -> str:
    """Comparison key with accents: cleaned, lower case, tone marks of oa, oe, uy in one place."""
    text = _nfc(clean_one(text).lower().replace("ς", "σ"))
    return _TONE_PLACE_RE.sub(lambda m: _TONE_PLACE[m[0]], text)


def match_key_expr(text: Text) -> Text:
    """:func:`match_key_one`, vectorised; null stays null."""
    text = clean_expr(text).str.to_lowercase().str.replace_all("ς", "σ", literal=True).str.normalize("NFC")
    return text.str.replace_many(list(_TONE_PLACE), list(_TONE_PLACE.values()))


def place_key_one(text: str) -> str:
    """:func:`match_key_one` for names of places, where 'Mỹ' and 'Mĩ', 'Lý' and 'Lí' are the same."""
    return _Y_TO_I_RE.sub(lambda m: _Y_TO_I[m[0]], match_key_one(text))


def place_key_expr(text: Text) -> Text:
    """:func:`place_key_one`, vectorised; null stays null."""
    return place_of_key(match_key_expr(text))


def place_of_key(key: Text) -> Text:
    """:func:`place_key_expr` of the text of which ``key`` is the :func:`match_key_expr`."""
    return key.str.replace_many(list(_Y_TO_I), list(_Y_TO_I.values()))


def fold_one(text: str) -> str:
    """Key without diacritics, case and punctuation: letters and digits in words with single spaces between them."""
    text = re.sub(_MARKS, "", unicodedata.normalize("NFD", match_key_one(text)))
    return re.sub(r"[\W_]+", " ", text.replace("đ", "d")).strip(" ")


def fold_expr(text: Text) -> Text:
    """:func:`fold_one`, vectorised; null stays null."""
    return fold_of_key(match_key_expr(text))


def fold_of_key(key: Text) -> Text:
    """:func:`fold_expr` of the text of which ``key`` is the :func:`match_key_expr`, without making the key again."""
    text = key.str.normalize("NFD").str.replace_all(_MARKS, "")
    return text.str.replace_all("đ", "d", literal=True).str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars(" ")


def inert_one(text: str) -> str:
    """A text of a CSV that no spreadsheet runs: with an apostrophe before it where it begins with one of :data:`FORMULA_SIGNS`."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def inert_expr(text: Text) -> Text:
    """:func:`inert_one`, vectorised; null stays null."""
    return text.str.replace(f"^([{re.escape(''.join(FORMULA_SIGNS))}])", "'${1}")


clean_text, match_key, place_key, fold = clean_expr, match_key_expr, place_key_expr, fold_expr
