"""The old encodings: tables, fonts, and the decision between them."""

from __future__ import annotations

from pathlib import Path

import pytest
import rdata
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake.encodings import AS_CP1252, LABELS, UNICODE, Choice, decode, detect, font_encoding, settle, words_of
from assets.reference.units import load_reference
from schemas.text import clean_one
from tests import legacy

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared/data/real/encodings/vn_samples.rda"
NAMES = sorted(set(load_reference().units["name"]))


def of_bytes(data: bytes) -> str:
    return "".join(AS_CP1252[b] for b in data)


WRITERS = {
    "tcvn3": legacy.tcvn3,
    "vni": legacy.vni,
    "cp1258": lambda text: of_bytes(legacy.cp1258(text)),
    "mojibake": legacy.mojibake,
    "mojibake-twice": lambda text: legacy.mojibake(text, 2),
}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the folder of shared cases and real files is absent")
@pytest.mark.parametrize(("name", "encoding"), [("TCVN3", "tcvn3"), ("VISCII", "viscii"), ("VPS", "vps")])
def test_the_real_table_equals_its_unicode_twin_cell_by_cell(name: str, encoding: str) -> None:
    tables = rdata.read_rda(SAMPLES)["vn_samples"]
    legacy_table, unicode_table = tables[name], tables["Unicode"]
    for column in ("Province_city", "Administrative_center"):
        sent, meant = list(legacy_table[column]), [clean_one(text) for text in unicode_table[column]]
        assert [clean_one(decode(text, encoding)) for text in sent] == meant
        words = words_of(sent)
        assert {detect(words, arrived_as_unicode=u).encoding for u in (True, False)} == {encoding}


@pytest.mark.parametrize("encoding", WRITERS)
def test_every_letter_in_small_and_capital(encoding: str) -> None:
    letters = legacy.LOWER if encoding == "tcvn3" else legacy.LOWER + legacy.LOWER.upper()
    assert decode(" ".join(map(WRITERS[encoding], letters)), encoding) == " ".join(letters)


@pytest.mark.parametrize(
    ("text", "encoding", "meant"),
    [
        ("TiÕng ViÖt", "tcvn3", "Tiếng Việt"),
        ("L¹ng S¬n", "tcvn3", "Lạng Sơn"),
        ("Céng hßa x· héi", "tcvn3-capitals", "CỘNG HÒA XÃ HỘI"),
        ("§¶ng uû", "tcvn3-capitals", "ĐẢNG UỶ"),
        ("Tieáng Vieät", "vni", "Tiếng Việt"),
        ("TIEÁNG VIEÄT", "vni", "TIẾNG VIỆT"),
        ("AÙo, Aù", "vni", "Áo, Á"),
        ("Tiáº¿ng Viá»‡t", "mojibake", "Tiếng Việt"),
        ("Ă ThÃ\xa0nh", "mojibake", "\ufffd Thành"),
        ("HNéI", "tcvn3", "HNỘI"),
        ("Hµ", "tcvn3", "Hà"),
    ],
)
def test_known_spellings(text: str, encoding: str, meant: str) -> None:
    assert decode(text, encoding) == meant


def test_an_unknown_encoding_is_no_guess() -> None:
    with pytest.raises(ValueError, match="unknown"):
        decode("Hµ", "abc")


@pytest.mark.parametrize(
    ("font", "encoding"),
    [
        (".VnTime", "tcvn3"),
        (".vntime", "tcvn3"),
        ("@.VnArial", "tcvn3"),
        (".VnTime Bold", "tcvn3"),
        (".VnTimeH", "tcvn3-capitals"),
        (".VnTimeH Bold Italic", "tcvn3-capitals"),
        (".VnArial NarrowH", "tcvn3-capitals"),
        (".VnBook-Antiqua", "tcvn3"),
        ("VNI-Times", "vni"),
        ("VNI-Helve-Condense", "vni"),
        ("VPS Times", "vps"),
        ("VI Arial", "viscii"),
        *[
            (f, None)
            for f in ("Times New Roman", "Arial", "Calibri", "Vivaldi", "UVN Ai Cap", "SVN-Times", "Verdana", "")
        ],
    ],
)
def test_fonts(font: str, encoding: str | None) -> None:
    assert font_encoding(font) == encoding
    assert encoding is None or encoding in LABELS


lists_of_names = st.lists(st.sampled_from(NAMES), min_size=8, max_size=40, unique=True)


@given(st.sampled_from(sorted(WRITERS)), lists_of_names, st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_list_of_places_is_read_back_or_left_out(encoding: str, names: list[str], as_unicode: bool) -> None:
    if encoding == "tcvn3":
        names = [name.lower() for name in names]
    sent = [WRITERS[encoding](name) for name in names]
    as_unicode = as_unicode or encoding.startswith("mojibake")
    choice = detect(words_of(sent), arrived_as_unicode=as_unicode)
    read = [settle(text, choice, arrived_as_unicode=as_unicode) for text in sent]
    assert all(text == name for (text, good), name in zip(read, names, strict=True) if good)


@given(lists_of_names)
@settings(max_examples=100, deadline=None)
def test_unicode_stays_as_it_is(names: list[str]) -> None:
    choice = detect(words_of(names), arrived_as_unicode=True)
    assert choice.encoding == UNICODE
    assert [settle(name, choice, arrived_as_unicode=True) for name in names] == [(name, True) for name in names]


def test_one_word_is_no_proof() -> None:
    sent = ["Häc"]
    choice = detect(words_of(sent), arrived_as_unicode=False)
    assert choice.encoding == "" and len(choice.rivals) > 1
    assert settle(sent[0], choice, arrived_as_unicode=False) == (sent[0], False)


def test_encodings_that_say_the_same_are_no_rivals() -> None:
    choice = detect(words_of(["Cà Ná", "tên", "Hà"]), arrived_as_unicode=False)  # alike in 1258, 1252, VISCII and VPS
    assert (choice.encoding, choice.rivals) == ("cp1258", ())
    assert settle("Cà", choice, arrived_as_unicode=False) == ("Cà", True)
    doubt = Choice("", rivals=("cp1258", "viscii"))
    assert settle("Cà", doubt, arrived_as_unicode=False) == ("Cà", True)
    assert settle("Cõ", doubt, arrived_as_unicode=False) == ("Cõ", False)
    assert settle("123 tc", doubt, arrived_as_unicode=False) == ("123 tc", True)


@pytest.mark.parametrize("text", ["TiÕng ViÖt", "Tieáng Vieät", "Tiáº¿ng Viá»‡t", "Tiêìng Viêòt"])
def test_a_legacy_cell_among_unicode_is_left_out(text: str) -> None:
    choice = detect(words_of([*NAMES[:200], text]), arrived_as_unicode=True)
    assert choice.encoding == UNICODE
    assert settle(text, choice, arrived_as_unicode=True) == (text, False)


@pytest.mark.parametrize("text", ["Cà Ná", "Nguyễn Văn", "Tiếng Việt"])
def test_a_unicode_cell_among_legacy_ones_stays(text: str) -> None:
    choice = detect(words_of([legacy.tcvn3(n.lower()) for n in NAMES[:50]]), arrived_as_unicode=True)
    assert choice.encoding == "tcvn3"
    assert settle(text, choice, arrived_as_unicode=True) == (text, True)


def test_no_real_name_of_a_place_looks_like_another_encoding() -> None:
    choice = detect(words_of(NAMES), arrived_as_unicode=True)
    assert [n for n in NAMES if not settle(n, choice, arrived_as_unicode=True)[1]] == []
