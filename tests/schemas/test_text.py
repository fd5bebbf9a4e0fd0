"""Text folding: examples of domain.md N2 to N4, and equality of the one-string and the vectorised forms."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text import (
    clean_expr,
    clean_one,
    fold_expr,
    fold_one,
    match_key_expr,
    match_key_one,
    place_key_expr,
    place_key_one,
)

SYLLABLES = ["Hoà", "hòa", "thuỷ", "Thủy", "QUÝ", "qúy", "giá", "Mỹ", "Lý", "Đ", "Ð", "Ɖ", "ð", "Nghĩa", "khoẻ", "tuỳ"]
ODD = [" ", "\u00a0", "\u200b", "\ufeff", "\u00ad", "\t", "\n", "-", "–", "“", "(", ")", "_", ".", "\u0301", "\u0323"]
VIETNAMESE = st.lists(st.sampled_from(SYLLABLES + ODD), max_size=12).map("".join)
ANY = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=20)  # Cn: libraries differ in Unicode version
TEXTS = st.one_of(VIETNAMESE, ANY, st.builds(unicodedata.normalize, st.sampled_from(["NFC", "NFD"]), VIETNAMESE))


@pytest.mark.parametrize(
    ("one", "vectorised"),
    [
        (clean_one, clean_expr),
        (match_key_one, match_key_expr),
        (place_key_one, place_key_expr),
        (fold_one, fold_expr),
    ],
)
def test_both_forms_are_equal_and_idempotent(one, vectorised) -> None:  # type: ignore[no-untyped-def]
    @given(st.lists(TEXTS, max_size=20))
    def check(texts: list[str]) -> None:
        expected = [one(t) for t in texts]
        series = pl.Series("t", texts, dtype=pl.String)
        assert vectorised(series).to_list() == expected
        assert series.to_list() == texts
        assert series.to_frame().select(vectorised(pl.col("t")))["t"].to_list() == expected
        assert [one(t) for t in expected] == expected

    check()
    for text in (" Đơn\u00a0vị ", "Đơn vị"):
        frame = pl.DataFrame({"t": [text, None, "b"]})
        assert frame.select(vectorised(pl.col("t")))["t"].to_list() == [one(text), None, "b"]
        assert vectorised(frame["t"]).to_list() == [one(text), None, "b"]


def test_cleaning_of_every_character_alone() -> None:
    every = [f"a{c}b" for c in map(chr, range(0x3000)) if unicodedata.category(c) != "Cn"]
    assert clean_expr(pl.Series(every)).to_list() == [clean_one(t) for t in every]


@given(TEXTS)
def test_a_form_of_unicode_changes_no_key(text: str) -> None:
    for one in (clean_one, match_key_one, place_key_one, fold_one):
        assert one(unicodedata.normalize("NFD", text)) == one(unicodedata.normalize("NFC", text))


def test_clean_keeps_what_can_be_seen() -> None:
    assert clean_one("\ufeff  Tổ\u00a0 dân\u200b phố\u00ad “số – 1”\n") == "Tổ dân phố “số – 1”"
    assert clean_one("Ðà Nẵng, Ɖông Hải") == "Đà Nẵng, Đông Hải"
    assert clean_one("\u200b\u00a0") == ""


@pytest.mark.parametrize(
    ("left", "right"),
    [("Ninh Hoà", "NINH HÒA"), ("Thuỷ", "thủy"), ("khỏe", "khoẻ"), ("Ðại Lãnh", "đại lãnh"), ("hoạ", "họa")],
)
def test_match_key_equal(left: str, right: str) -> None:
    assert match_key_one(left) == match_key_one(right)


@pytest.mark.parametrize(
    ("left", "right"), [("Thành Hải", "Thanh Hải"), ("quý", "quy"), ("hoàn", "hoan"), ("Mỹ", "Mĩ"), ("của", "cuả")]
)
def test_match_key_apart(left: str, right: str) -> None:
    assert match_key_one(left) != match_key_one(right)


def test_qu_is_kept_intact() -> None:
    assert match_key_one("Quý") == "quý"
    assert match_key_one("Giá") == "giá"


@pytest.mark.parametrize(("left", "right"), [("Mỹ Sơn", "Mĩ Sơn"), ("Lý Hoà", "Lí Hòa"), ("Quy Nhơn", "Qui Nhơn")])
def test_place_key_equal(left: str, right: str) -> None:
    assert place_key_one(left) == place_key_one(right)


@pytest.mark.parametrize(("left", "right"), [("Thuý", "Thúi"), ("Tây", "Tâi"), ("Mỹ", "Mị"), ("Tuy", "Tui")])
def test_place_key_apart(left: str, right: str) -> None:
    assert place_key_one(left) != place_key_one(right)


def test_fold() -> None:
    assert fold_one("  Số hộ\n(hộ) – ĐVT_1 ") == "so ho ho dvt 1"
    assert fold_one("Tổng  cộng:") == fold_one("TỔNG CỘNG")
    assert fold_one("(1)") == "1"


@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(["\n", " ", " / ", ": ", " - "]))
def test_texts_that_stand_apart_are_folded_apart(texts: list[str], between: str) -> None:
    """So a header over several rows need not be folded in each of the ways in which it may be read."""
    assert fold_one(between.join(texts)) == " ".join(filter(None, map(fold_one, texts)))
