"""Slips that people make when they type a name; each keeps a name in NFC. Who makes how many of them is the caller's."""

from __future__ import annotations

import unicodedata
from random import Random

_TONES = "\u0300\u0301\u0303\u0309\u0323"


def unaccented(rng: Random, name: str) -> str:
    """All accents lost."""
    text = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return text.replace("đ", "d").replace("Đ", "D")


def other_tone(rng: Random, name: str) -> str:
    """One syllable with another tone or none."""
    words = name.split(" ")
    at = rng.randrange(len(words))
    bare = "".join(c for c in unicodedata.normalize("NFD", words[at]) if c not in _TONES)
    tones = [t for t in ("", *_TONES) if unicodedata.normalize("NFC", _with_tone(bare, t)) != words[at]]
    if not tones:  # a number, an abbreviation
        return name
    words[at] = unicodedata.normalize("NFC", _with_tone(bare, rng.choice(tones)))
    return " ".join(words)


def _with_tone(syllable: str, tone: str) -> str:
    """The tone behind the last vowel and its own mark; good enough for a slip."""
    ends = [i for i, c in enumerate(syllable) if c.lower() in "aeiouy"]
    if not ends:
        return syllable
    at = ends[-1] + 1
    while at < len(syllable) and unicodedata.combining(syllable[at]):
        at += 1
    return syllable[:at] + tone + syllable[at:]


def typed_wrong(rng: Random, name: str) -> str:
    """A letter lost, doubled or taken for its neighbour."""
    at = rng.choice([i for i, c in enumerate(name) if c.isalpha()])
    return name[:at] + rng.choice(("", name[at] * 2, rng.choice("nhgtcm"))) + name[at + 1 :]


def tone_placed_otherwise(rng: Random, name: str) -> str:
    """Hòa for Hoà, Thủy for Thuỷ: no slip, both are right."""
    pairs = {"òa": "oà", "óa": "oá", "ọa": "oạ", "ủy": "uỷ", "úy": "uý", "ùy": "uỳ", "ỏe": "oẻ"}
    for one, other in pairs.items():
        name = name.replace(one, other)
    return name


def i_for_y(rng: Random, name: str) -> str:
    """Lí for Lý, Mĩ for Mỹ."""
    for one, other in (
        ("Lý", "Lí"),
        ("Mỹ", "Mĩ"),
        ("Vỹ", "Vĩ"),
        ("Quý", "Quí"),
        ("My", "Mi"),
        ("Ly", "Li"),
        ("Vy", "Vi"),
    ):
        name = name.replace(one, other)
    return name
