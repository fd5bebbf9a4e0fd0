"""Which words are Vietnamese syllables."""

from __future__ import annotations

import re
import unicodedata

import pytest

from assets.reference.units import load_reference
from schemas.syllables import is_consonants, is_highland, is_syllable

REAL = "quốc gìn gì giếng giết quýt Quyên nghe Ý yên ia xoong khuya tuý MỸ Nguyễn được huỷ thuở người xoáy ngoằn"


@pytest.mark.parametrize("word", REAL.split())
def test_syllables(word: str) -> None:
    assert is_syllable(word)
    assert is_syllable(unicodedata.normalize("NFD", word))


@pytest.mark.parametrize(("one", "other"), [("hoà", "hòa"), ("khoẻ", "khỏe"), ("thuỷ", "thủy")])
def test_the_tone_of_oa_oe_uy_in_either_place(one: str, other: str) -> None:
    assert is_syllable(one) and is_syllable(other)


@pytest.mark.parametrize(
    "word", ["hóan", "các̀", "bàt", "Tiáº¿ng", "TiÕng", "Tieáng", "Hµ", "kèu", "Viêòt", "ngia", "ạ́", "", "bcd", "úa1"]
)
def test_no_syllables(word: str) -> None:
    assert not is_syllable(word)


def test_nearly_all_words_of_the_real_names_of_units_are_syllables() -> None:
    names = load_reference().units["name"].to_list()
    words = [w for name in names for w in re.findall(r"[^\W\d_]+", name) if not w.isascii()]
    others = [w for w in words if not is_syllable(w)]
    assert len(others) < 0.01 * len(words)
    assert sum(is_highland(w) for w in others) > 0.6 * len(others)


def test_words_of_other_languages_and_short_forms_are_told_apart() -> None:
    assert all(map(is_highland, ["Krông", "Đắk", "Dêr", "Tôr"]))
    assert not any(map(is_highland, ["Viêòt", "Hµ", "Dờr", "TiÕng"]))
    assert is_consonants("QĐ") and not is_consonants("Đào") and not is_consonants("§") and not is_consonants("")
