"""Cells in all the ways in which they are written: numbers, words for nothing, errors, formulas, forms of one text.

One run over many communes' files, each file one kind; then every cell is asked for.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, codes, said, saved, text_csv, villages, worded, workbook

NUMBERS: list[tuple[Any, int | str]] = [
    ("12", 12),
    (12, 12),
    (12.0, 12),
    ("0", 0),
    (0, 0),
    ("007", 7),
    ("1.234", 1234),
    ("12.345", 12345),
    ("1 234", 1234),
    ("1\u00a0234", 1234),
    ("1\u202f234", 1234),
    (" 98 ", 98),
    ("98\n", 98),
    ("12,0", 12),
    ("1.234,0", 1234),
    ("1,234", "AMBIGUOUS_NUMBER"),
    ("12.5", "NOT_WHOLE"),
    ("12,5", "NOT_WHOLE"),
    (12.5, "NOT_WHOLE"),
    ("1.2345", "NOT_WHOLE"),
    ("12.34.56", "NOT_A_NUMBER"),
    ("1..234", "NOT_A_NUMBER"),
    ("1 23", "NOT_A_NUMBER"),
    ("1e3", "NOT_A_NUMBER"),
    ("O12", "NOT_A_NUMBER"),
    ("1O2", "NOT_A_NUMBER"),
    ("１２", "NOT_A_NUMBER"),
    ("mười hai", "NOT_A_NUMBER"),
    ("12 hộ", 12),
    ("12 HỘ", 12),
    ("12 người", "NOT_A_NUMBER"),
    ("≈120", "NOTED_NUMBER"),
    ("~120", "NOTED_NUMBER"),
    ("120?", "NOT_A_NUMBER"),
    ("120-130", "NOT_A_NUMBER"),
    ("15 (2 nữ)", "NOTED_NUMBER"),
    ("5/7", "NOT_A_NUMBER"),
    ("12%", "NOT_A_NUMBER"),
    ("-5", "OUT_OF_RANGE"),
    (-5, "OUT_OF_RANGE"),
    ("20.001", "households_bounds"),
    (20001, "households_bounds"),
    (3_000_000_000, "OUT_OF_RANGE"),
    ("12345678901234567890", "OUT_OF_RANGE"),
    (1e20, "OUT_OF_RANGE"),
    ("chưa thống kê", "PENDING_VALUE"),
    ("Đang cập nhật", "PENDING_VALUE"),
    ("chờ số liệu", "PENDING_VALUE"),
    (None, "MISSING"),
    ("", "MISSING"),
    ("  ", "MISSING"),
    ("\u200b", "MISSING"),
    ("-", "MISSING"),
    ("–", "MISSING"),
    ("…", "MISSING"),
    ("...", "MISSING"),
    ("N/A", "MISSING"),
    ("NULL", "MISSING"),
    ("nan", "MISSING"),
    ("không có", "NOT_A_NUMBER"),
    ("#REF!", "EXCEL_ERROR"),
    ("#N/A", "EXCEL_ERROR"),
    (True, "NOT_A_NUMBER"),
    (datetime(2026, 5, 1), "NOT_A_NUMBER"),
    ("x", "NOT_A_NUMBER"),
    ("\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "NOT_A_NUMBER"),
]
"""What stands in 'Số hộ', and the number or the code that comes of it."""

ERRORS = ("#REF!", "#DIV/0!", "#N/A", "#VALUE!", "#NAME?", "#NULL!", "#NUM!", "=A1+1")

NAMES: list[tuple[str, str]] = [
    ("Thôn Đá Bạc", "Thôn Đá Bạc"),
    (unicodedata.normalize("NFD", "Thôn Mỹ Đức"), "Thôn Mỹ Đức"),
    ("Thôn\u00a0Hòa\u00a0Bình", "Thôn Hòa Bình"),
    ("  Thôn   Suối  Cát ", "Thôn Suối Cát"),
    ("Thôn\u200b Nước\ufeff Nóng", "Thôn Nước Nóng"),
    ("Thôn\nTân\tLập", "Thôn Tân Lập"),
    ("Thôn \u00d0ồng Dài", "Thôn Đồng Dài"),
    ("Thôn \u0189á Đen", "Thôn Đá Đen"),
    ("Thôn Gò\u00ad Muồng", "Thôn Gò Muồng"),
    ("Thôn\u2003Cây\u3000Gạo", "Thôn Cây Gạo"),
]
"""Names as sent, and as they are kept."""

HEADERS = [
    ("TÊN THÔN", "LOẠI", "SỐ HỘ", "SỐ KHẨU"),
    tuple(unicodedata.normalize("NFD", h) for h in HEAD),
    ("Tên\u00a0thôn", "Loại\u00a0hình", "Số\u00a0hộ", "Số\u00a0khẩu"),
    (" Tên  thôn ", "Loại:", "Số  hộ.", "Số khẩu *"),
    ("Ten thon", "Loai", "So ho", "So khau"),
    ("ten_thon", "loai_hinh", "so_ho", "so_khau"),
    ("Tên thôn,\ntổ dân phố", "Loại hình", "Tổng số\nhộ", "Nhân khẩu\n(người)"),
    ("Tên\u200b thôn", "Loại\ufeff", "Số hộ\u200b", "Số \u200bkhẩu"),
    ("Thôn/TDP", "Phân loại", "Số hộ (hộ)", "Dân số (người)"),
    ("TỔ DÂN PHỐ", "LOẠI HÌNH", "Tổng số hộ gia đình", "Tổng số nhân khẩu"),
]
"""The same four headers in other forms."""


class Bench:
    """The world after the run, and where each kind was sent from."""

    def __init__(self, world: World) -> None:
        self.world = world
        senders = iter(world.communes)
        self.numbers, self.numbers_csv, self.errors, self.names, self.controls = (next(senders) for _ in range(5))
        self.headers = [next(senders) for _ in HEADERS]
        self.refused = next(senders)
        world.drop(self.numbers, self._numbers())
        world.drop(self.numbers_csv, self._numbers_csv(), "thon.csv")
        world.drop(self.errors, self._errors())
        world.drop(self.names, villages(*((n, k, 9) for k, (n, _) in enumerate(NAMES, 1))), period="2026-Q1")
        world.drop(self.names, villages(*((n, k, 9) for k, (_, n) in enumerate(NAMES, 1))), period="2026-Q2")
        for sender, head in zip(self.headers, HEADERS, strict=True):
            world.drop(sender, workbook([head, ("Thôn Một", "Thôn", 10, 40), ("Thôn Hai", "Thôn", 11, 41)]))
        world.drop(self.refused, self._refused(), "thon.csv")
        world.run()

    @staticmethod
    def _numbers() -> bytes:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(HEAD)
        for n, (value, _) in enumerate(NUMBERS, 1):
            sheet.append((f"Thôn {n:02}", "Thôn", None, 50_000))
            cell = sheet.cell(n + 1, 3, value)
            if isinstance(value, str):
                cell.data_type = "s"  # also what openpyxl would take for an error or a formula
        return saved(book)

    @staticmethod
    def _numbers_csv() -> bytes:
        rows = [(f"Thôn {n:02}", "Thôn", v, "50000") for n, (v, _) in enumerate(NUMBERS, 1) if isinstance(v, str)]
        return text_csv([HEAD, *rows], ";", "utf-8-sig", "\r\n")

    @staticmethod
    def _errors() -> bytes:
        good = ["", "Thôn", "Thôn", 10, 40]
        rows: list[list[Any]] = [["Mã xã", *HEAD]]
        for column in range(5):
            for n, wrong in enumerate(ERRORS):
                row = [*good]
                row[1] = f"Thôn {column}{n}"
                row[column] = wrong
                rows.append(row)
        rows += [["", f"Thôn lành {n}", "Thôn", 10, 40] for n in range(12)]
        return workbook(rows)

    @staticmethod
    def _refused() -> bytes:
        long = "Thôn " + "rất " * 60
        rows = [
            HEAD,
            ("Thôn Một", "Thôn", "10", "40"),
            ("Thôn\0 Không", "Thôn", "10", "40"),
            (long, "Thôn", "10", "40"),
            ("Thôn \x07 Chuông", "Thôn", "10", "40"),
            ("Thôn \ufffd\ufffd", "Thôn", "10", "40"),
            ("=1+1", "Thôn", "10", "40"),
            ("@SUM(A1)", "Thôn", "10", "40"),
            ("+84", "Thôn", "10", "40"),
            ("????", "Thôn", "10", "40"),
            ("...", "Thôn", "10", "40"),
            ("Thôn ba", "Thành phố", "10", "40"),
            ("Thôn \ufffe", "Thôn", "10", "40"),
            ("Thôn bốn", "Thôn", "99999999999999999999", "-99999999999999999999"),
            *((f"Thôn lành {n}", "", "10", "40") for n in range(3)),
        ]
        return text_csv(rows)


@pytest.fixture(scope="module")
def bench(make_world: Make) -> Bench:
    return Bench(make_world())


def _expected(row: int, outcome: int | str) -> set[tuple[str, str]]:
    return {(f"C{row}", outcome)} if isinstance(outcome, str) else set()


@pytest.mark.parametrize("n", range(len(NUMBERS)), ids=lambda n: repr(NUMBERS[n][0]))
def test_a_number(n: int, bench: Bench) -> None:
    outcome = NUMBERS[n][1]
    said_of_row = {s for s in said(bench.world.submission(f"2026-Q2/{bench.numbers}/thon.xlsx")) if s[0] == f"C{n + 2}"}
    assert said_of_row == _expected(n + 2, outcome)
    found = bench.world.open_villages(bench.numbers).get(f"Thôn {n + 1:02}")
    assert found == (None if isinstance(outcome, str) else (outcome, 50_000))


def test_numbers_in_a_csv_are_read_as_in_a_workbook(bench: Bench) -> None:
    texts = [(n, v, o) for n, (v, o) in enumerate(NUMBERS, 1) if isinstance(v, str)]
    expected = {s for row, (_, _, o) in enumerate(texts, 2) for s in _expected(row, o)}
    answered = bench.world.submission(f"2026-Q2/{bench.numbers_csv}/thon.csv")
    assert said(answered) == expected
    good = {f"Thôn {n:02}": (o, 50_000) for n, _, o in texts if isinstance(o, int)}
    assert bench.world.open_villages(bench.numbers_csv) == good
    assert answered["counts"]["read"] == len(texts) + 1


def test_error_cells_and_uncalculated_formulas_in_every_column(bench: Bench) -> None:
    answered = bench.world.submission(f"2026-Q2/{bench.errors}/thon.xlsx")
    expected = {
        (f"{letter}{2 + column * len(ERRORS) + n}", "UNCALCULATED" if wrong.startswith("=") else "EXCEL_ERROR")
        for column, letter in enumerate("ABCDE")
        for n, wrong in enumerate(ERRORS)
    }
    assert said(answered) == expected
    assert sorted(bench.world.open_villages(bench.errors)) == sorted(f"Thôn lành {n}" for n in range(12))
    shown = {r["address"]: r["message"] for r in answered["rows"]}
    assert shown["D26"] == "Số hộ là lỗi #REF! của Excel."
    assert shown["E41"] == "Số nhân khẩu là công thức chưa có kết quả được lưu."


def test_forms_of_one_text_are_one_village(bench: Bench) -> None:
    history = bench.world.history(bench.names)
    assert [(r[1], r[2], r[4], r[5]) for r in sorted(history, key=lambda r: r[2])] == [
        (kept, n, date(2026, 3, 31), None) for n, (_, kept) in enumerate(NAMES, 1)
    ]
    repairs = bench.world.submission(f"2026-Q1/{bench.names}/thon.xlsx")["repairs"]
    assert {r["raw"]: r["rule"] for r in repairs if r["row"] in (3, 4, 8)} == {
        NAMES[1][0]: "NFC",
        NAMES[2][0]: "SPACES",
        NAMES[6][0]: "LOOK_ALIKE",
    }


@pytest.mark.parametrize("n", range(len(HEADERS)), ids=lambda n: repr(HEADERS[n][0]))
def test_headers_in_any_form(n: int, bench: Bench) -> None:
    assert bench.world.open_villages(bench.headers[n]) == {"Thôn Một": (10, 40), "Thôn Hai": (11, 41)}
    assert codes(bench.world.submission(f"2026-Q2/{bench.headers[n]}/thon.xlsx")) == []


def test_rows_that_no_database_takes_are_quarantined_alone(bench: Bench) -> None:
    answered = bench.world.submission(f"2026-Q2/{bench.refused}/thon.csv")
    assert said(answered) == {
        ("A3", "CONTROL_CHARACTER"),
        ("A4", "TOO_LONG"),
        ("A5", "CONTROL_CHARACTER"),
        ("A6", "UNREADABLE_TEXT"),
        ("A7", "FORMULA_TEXT"),
        ("A8", "FORMULA_TEXT"),
        ("A9", "FORMULA_TEXT"),
        ("A10", "UNREADABLE_TEXT"),
        ("A11", "MISSING"),
        ("B12", "NOT_IN_LIST"),
        ("A13", "UNREADABLE_TEXT"),
        ("C14", "OUT_OF_RANGE"),
        ("D14", "OUT_OF_RANGE"),
    }
    assert bench.world.open_villages(bench.refused) == dict.fromkeys(
        ("Thôn Một", *(f"Thôn lành {n}" for n in range(3))), (10, 40)
    )
    assert answered["counts"]["read"] == 17
    raw = bench.world.rows(
        "select q.raw ->> 'village_name' from staging.quarantine q join intake.submission s using (assessment_no) "
        "where s.sender = %s and q.row = 3",
        [bench.refused],
    )
    assert raw == [("Thôn␀ Không",)]


def test_every_published_version_is_found_in_a_cell(bench: Bench) -> None:
    assert bench.world.proved() > 60


def test_every_answer_is_well_worded(bench: Bench) -> None:
    for answered in bench.world.answers():
        worded(answered)
