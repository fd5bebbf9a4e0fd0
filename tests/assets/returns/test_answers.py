"""What senders read: every code has whole sentences, with what it speaks of filled in."""

from __future__ import annotations

import re
import string
import unicodedata

import pytest

from assets.returns.answers import _row_text, folder_name, problem_text
from schemas.codes import CODES, Code
from schemas.contract import builtin_folder, load_contract

VILLAGES = load_contract(builtin_folder() / "villages.odcs.yaml")
DICTIONARY = re.compile(r"[A-Za-z]{4,} [A-Za-z]{4,} [A-Za-z]{4,} [A-Za-z]{4,}")
"""Four longer words in a row without a diacritic: another language."""


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _row(code: str, column: str = "households", **params: str) -> dict[str, object]:
    return {
        "sheet": 0, "row": 7, "rule": code, "column_name": column, "severity": "error", "address": "D7",
        "params": params, "raw": {"households": "12x", "village_name": "Bình An"}, "waived": False, "known": False,
    }  # fmt: skip


@pytest.mark.parametrize("code", CODES.values(), ids=lambda c: c.code)
def test_a_text_is_vietnamese_and_says_what_to_do(code: Code) -> None:
    for text in (code.message, code.remedy):
        assert text and text.strip() == text and unicodedata.is_normalized("NFC", text)
    assert any(ord(c) > 127 for c in code.message) and any(ord(c) > 127 for c in code.remedy)
    assert not DICTIONARY.search(code.message + " " + code.remedy)
    assert code.message.endswith(".") and code.remedy.endswith(".")


@pytest.mark.parametrize("code", [c for c in CODES.values() if c.level == "cell"], ids=lambda c: c.code)
def test_what_a_cell_s_text_names_is_filled_in(code: Code) -> None:
    told = _row_text(VILLAGES, {0: "Sheet1"}, _row(code.code, detail="22333 Phường A, 22366 Phường B"), {})
    whole = f"{told['message']} {told['remedy']}"
    assert "{" not in whole and "…" not in whole and "None" not in whole and "  " not in whole
    if "{value}" in code.message:
        assert "12x" in told["message"]
    if "{address}" in code.remedy:
        assert "D7" in told["remedy"]
    assert told["address"] == "D7" and told["sheet"] == "Sheet1" and told["label"] == "Số hộ"


def test_a_contradiction_names_the_key_and_the_rows() -> None:
    told = _row_text(VILLAGES, {0: "Sheet1"}, _row("DUPLICATE_KEY", "village_name", rows="5, 6"), {})
    assert "Mã xã + Tên thôn, tổ dân phố" in told["message"] and "5, 6" in told["message"]


def test_the_limit_of_a_text_is_named_also_where_the_contract_gives_none() -> None:
    told = _row_text(VILLAGES, {}, _row("TOO_LONG", "village_name"), {})
    assert "200" in told["message"]
    told = _row_text(VILLAGES, {}, _row("TOO_LONG", "village_type"), {})
    assert re.search(r"quá \d+ ký tự", told["message"])


def test_a_rule_of_the_contract_speaks_in_its_own_words() -> None:
    told = _row_text(VILLAGES, {}, _row("households_bounds"), {})
    assert told["message"] == "Số hộ của một thôn phải từ 0 đến 20.000." and told["remedy"].startswith("Kiểm tra số hộ")


@pytest.mark.parametrize(
    "code", [c for c in CODES.values() if c.level in ("submission", "delivery")], ids=lambda c: c.code
)
def test_a_problem_s_text_has_no_gap(code: Code) -> None:
    names = _placeholders(code.message) | _placeholders(code.remedy)
    told = problem_text({"code": code.code, "params": dict.fromkeys(names, "12")})
    assert "{" not in told["message"] + told["remedy"] and "…" not in told["message"]


@pytest.mark.parametrize(
    ("part", "safe"),
    [("2026-Q2", "2026-Q2"), ("../..", "_____"), ("", "_"), (None, "_"), ("a/b", "a_b"), ("xã", "xã")],
)
def test_a_folder_s_name_leads_nowhere_else(part: str | None, safe: str) -> None:
    assert folder_name(part) == safe
