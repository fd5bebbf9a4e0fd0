"""Vietnamese orthography: which words can be syllables of the language.

Every Vietnamese word is one syllable: an onset, a rhyme and one of six tones, each from a short closed list. Text that
was decoded wrongly hardly ever keeps to it, so the share of valid syllables tells a right decoding from a wrong one
(domain.md N1). Not here: any dictionary; names from other languages ('Đắk', 'Kon') are no syllables or are by chance.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ONSETS = (
    "", "b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph", "qu",
    "r", "s", "t", "th", "tr", "v", "x",
)  # fmt: skip
_RHYMES = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên ênh êp êt êu "
    "i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu "
    "o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong oong ooc "
    "op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt "
    "u ua uân uâng uât uây uc uê uêch uênh ui uôc uôi uôm uôn uông uôt um un ung uơ up ut uy uya uych uyên uyêt uynh "
    "uyn uyt uyu ư ưa ưc ưi ươc ươi ươm ươn ương ươp ươt ươu ưm ưn ưng ưt ưu "
    "y yêm yên yêng yêt yêu ynh ych yt"
)
_HIGHLAND = re.compile(
    "(?:[bcdđghjklmnprstvwxyz]{1,4}|)[aăâeêioôơuưy]{1,3}(?:[lrhk]|ng|nh|[nmtp])?|[bcdđghklmnprstvx]{1,3}[ắấếíốớúứ]k"
)
_MARKED = "ăâêôơư"
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_STOPS = ("c", "ch", "p", "t")
_CONSONANTS = frozenset("bcdđghklmnpqrstvxjfwz")


def _tone_places(rhyme: str) -> list[int]:
    """Where in the rhyme the tone mark may stand, by the old and by the new placement."""
    vowels = [i for i, c in enumerate(rhyme) if c in "aeiouy" + _MARKED]
    marked = [i for i in vowels if rhyme[i] in _MARKED]
    if marked:
        return [marked[-1]]
    if len(vowels) == 1:
        return vowels
    if vowels[-1] < len(rhyme) - 1:  # a final consonant
        return [vowels[-1]]
    if len(vowels) == 3:
        return [vowels[1]]
    return vowels if rhyme in ("oa", "oe", "uy") else [vowels[0]]


def _go_together(onset: str, rhyme: str) -> bool:
    first = rhyme[0]
    if onset in ("gh", "ngh"):
        return first in "eêi"
    if onset in ("c", "g", "ng"):
        return first not in "eêiy"
    if onset == "qu":
        return first not in "uưo"
    if onset == "gi":
        return first not in "iy"
    if first == "y":
        return onset == "" or rhyme == "y"
    return onset != "" or not rhyme.startswith("iê")


@lru_cache(maxsize=1)
def _syllables() -> dict[str, tuple[list[int], bool]]:
    """Syllables without tone, NFC, lower case -> where the tone may stand, and whether they end in a stop."""
    found: dict[str, tuple[list[int], bool]] = {}
    for rhyme in _RHYMES.split():
        stopped, places = rhyme.endswith(_STOPS), _tone_places(rhyme)
        for onset in _ONSETS:
            if _go_together(onset, rhyme):
                before = found.setdefault(onset + rhyme, ([], stopped))[0]
                before += [len(onset) + place for place in places]
    for rhyme, spelt in (("êng", "iêng"), ("êt", "iêt"), ("n", "in"), ("", "i")):  # one i for two: 'giêng', 'gìn', 'gì'
        places = _tone_places(spelt)
        found.setdefault("gi" + rhyme, ([], spelt.endswith(_STOPS)))[0].extend(1 + place for place in places)
    return found


@lru_cache(maxsize=1 << 16)
def is_syllable(word: str) -> bool:
    """Whether a word (NFC or NFD, any case) is spelt as a Vietnamese syllable; tones of 'oa', 'oe', 'uy' in either place.

    A syllable that ends in a stop (c, ch, p, t) has the tone sắc or nặng, as the language has it; without its mark it
    counts too, for typists leave it out.
    """
    word = unicodedata.normalize("NFC", word.lower())
    tone, place, plain = "", -1, word
    if not word.isascii():
        letters = []
        for at, letter in enumerate(word):
            parts = unicodedata.normalize("NFD", letter)
            mark = next((c for c in parts if c in _TONES), "")
            if mark:
                if tone:
                    return False
                tone, place = mark, at
                letter = unicodedata.normalize("NFC", parts.replace(mark, ""))
            letters.append(letter)
        plain = "".join(letters)
    known = _syllables().get(plain)
    if known is None:
        return False
    places, stopped = known
    return not tone or (place in places and not (stopped and tone not in "\u0301\u0323"))


def lacks_tone(word: str) -> bool:
    """Whether a word is a syllable that ends in a stop and has no tone mark: 'duoc', 'tiêp', which Vietnamese never writes."""
    known = _syllables().get(unicodedata.normalize("NFC", word.lower()))
    return known is not None and known[1]


def vowel_pairs() -> frozenset[str]:
    """Pairs of vowels, with their tones, that stand side by side in some syllable; lower case, NFC."""
    found: set[str] = set()
    for rhyme in _RHYMES.split():
        toned = {rhyme[: p + 1] + t + rhyme[p + 1 :] for p in _tone_places(rhyme) for t in ("", *_TONES)}
        for onset, text in ((o, unicodedata.normalize("NFC", t)) for t in toned for o in ("", "qu", "gi")):
            if not onset or _go_together(onset, rhyme):
                found.update(a + b for a, b in zip(onset[-1:] + text, text if onset else text[1:], strict=False))
    return frozenset(pair for pair in found if not any(c in _CONSONANTS for c in pair))


def is_consonants(word: str) -> bool:
    """Whether a word has no vowel and only letters that Vietnamese writes: 'QĐ', 'HĐND', 'đ', a note in short form."""
    return bool(word) and _CONSONANTS.issuperset(word.lower())


def is_highland(word: str) -> bool:
    """Whether a word may be of another language of the country, as official lists spell it: 'Krông', 'Dêr', 'Đắk'.

    Such a word has no tone (or ends in '…k' with sắc), and neither proves nor disproves that a text was decoded rightly.
    """
    return _HIGHLAND.fullmatch(unicodedata.normalize("NFC", word.lower())) is not None
