"""The one writer of spreadsheets: whatever a sender wrote comes out as the same text, and nothing of it can run."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from assets.returns.cells import csv_bytes
from assets.returns.worklist_book import NO_PREDECESSOR, worklist_book
from schemas.contract import Contract, builtin_folder, load_contracts

SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
TEXTS = st.one_of(
    st.text(min_size=1, max_size=30),
    st.builds(str.__add__, st.sampled_from(SIGNS), st.text(max_size=30)),
    st.sampled_from(
        ["=1+1", '=cmd|"/C calc"!A0', "@SUM(A1)", "-1", "1E5", "0123", "#REF!", "TRUE", "12:30", "_x0041_"]
    ),
)


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


def unknown(text: str) -> dict[str, Any]:
    return {
        "dataset": text, "column_name": text, "label": text, "rule": "NOT_IN_LIST", "value": text, "rows": 1, "senders": [text],
        "submissions": 1, "submission_id": "S0", "address": text,
    }  # fmt: skip


def held(text: str) -> dict[str, Any]:
    return {
        "submission_id": "S00000000001", "predecessor": None, "dataset": "villages", "sender": text, "sender_name": text,
        "period": text, "file_name": text, "why": [text], "held_since": None, "mended": False,
    }  # fmt: skip


def pair(text: str) -> dict[str, Any]:
    side = {"sender": text, "period": "2026-Q2", "said": {"Họ và tên": text}}
    return {
        "dataset": "staff", "left_record": 2**63 - 1, "right_record": 10**18, "why": text, "weight": None, "left": side,
        "right": {},
    }  # fmt: skip


@given(TEXTS)
@example('=HYPERLINK("http://vi-du.invalid")')
@example("\uff1d1+1")
@example("a" * 40_000)
def test_every_cell_is_a_text_and_nothing_runs(contracts: dict[str, Contract], text: str) -> None:
    data = worklist_book(
        {"unknown_codes": [unknown(text)], "held_submissions": [held(text)], "clerical_pairs": [pair(text)]}, contracts
    )
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        sheets = [package.read(n).decode() for n in package.namelist() if n.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 3
    for sheet in sheets:
        assert "<f>" not in sheet and "<f " not in sheet
        assert set(re.findall(r'<c [^>]*t="(\w+)"', sheet)) <= {"s", "inlineStr", "n"}
        assert not re.search(r'<c [^>]*t="n"[^>]*><v>', sheet), "a number"
    book = load_workbook(io.BytesIO(data))
    expected = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:32_000]
    cell = next(c for row in book["Giá trị lạ"].iter_rows(min_row=5) for c in row if c.column == 3)
    assert cell.data_type == "s" and cell.quotePrefix == expected.startswith(tuple(SIGNS))
    if (
        "\r" not in expected and "_x" not in expected
    ):  # XML knows one end of line, and Excel writes characters as _x000D_
        assert cell.value == expected


def test_keys_keep_all_their_digits(contracts: dict[str, Contract]) -> None:
    book = load_workbook(io.BytesIO(worklist_book({"clerical_pairs": [pair("x")]}, contracts)))
    cells = [c.value for row in book["Trùng staff"].iter_rows(min_row=6) for c in row]
    assert cells[:3] == ["staff", "9223372036854775807", "1000000000000000000"]


def test_a_hold_without_a_predecessor_has_a_word_for_it(contracts: dict[str, Contract]) -> None:
    book = load_workbook(io.BytesIO(worklist_book({"held_submissions": [held("x")]}, contracts)))
    assert book["Tạm giữ"]["B6"].value == NO_PREDECESSOR


def test_nothing_waits(contracts: dict[str, Contract]) -> None:
    assert load_workbook(io.BytesIO(worklist_book({}, contracts)))["Trống"]["A1"].value == "Không có gì chờ xử lý."


@given(TEXTS)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    ((cell, number),) = csv.reader(io.StringIO(csv_bytes([[text, -1]]).decode("utf-8-sig"), newline=""))
    assert cell.removeprefix("'") == text.removeprefix("'") and number == "-1"
    assert not cell.startswith(tuple(SIGNS))
