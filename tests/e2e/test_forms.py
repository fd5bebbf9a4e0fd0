"""Printed forms, as offices print them: each names the villages that it holds, what is wrong in it, and what is no data.

One run over all forms; a form's rows are data, quarantined or set aside with a reason, and nothing is lost between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, codes, said, saved, text_csv, worded, workbook

QUARTER_END = date(2026, 6, 30)
SIGNED = [
    (),
    (None, "Nơi nhận:", None, "Khánh Hòa, ngày 05 tháng 7 năm 2026"),
    (None, "- Sở Nội vụ;", None, "TM. ỦY BAN NHÂN DÂN"),
    (None, "- Lưu: VT.", None, "CHỦ TỊCH"),
    (),
    (None, "Người lập biểu", None, "Nguyễn Văn Tổng"),
]


@dataclass
class Form:
    """A form as sent and what must come of it. ``errors``: (address, code); ``problems``: codes of the whole."""

    data: bytes
    villages: dict[str, tuple[int, int]]
    errors: set[tuple[str, str]] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    set_aside: dict[str, int] = field(default_factory=dict)
    as_of: date = QUARTER_END
    name: str = "thon.xlsx"
    state: str = ""


FORMS: dict[str, Callable[[], Form]] = {}


def form(build: Callable[[], Form]) -> Callable[[], Form]:
    FORMS[build.__name__] = build
    return build


@form
def three_header_rows() -> Form:
    rows: list[Sequence[Any]] = [
        (None, "UBND XÃ", None, None, None, "Mẫu số 02"),
        (None, "BIỂU TỔNG HỢP THÔN, TỔ DÂN PHỐ"),
        (None, "(Tính đến ngày 15/06/2026)"),
        (),
        (None, "STT", "Thôn", "Quy mô", None, "Ghi chú"),
        (None, None, None, "Tổng số", None, None),
        (None, None, None, "Số hộ", "Số khẩu", None),
        (None, "(1)", "(2)", "(3)", "(4)", "(5)"),
        (None, 1, "Bình An", 10, 40, None),
        (None, 2, "Bình Hòa", 20, 80, "giữ nguyên"),
        (None, None, "Tổng cộng", 30, 120, None),
        *SIGNED,
    ]
    data = workbook(rows, merged=("B5:B7", "C5:C7", "D5:E5", "D6:E6", "F5:F7"))
    aside = {"TITLE": 3, "BLANK": 0, "HEADER": 4, "TOTAL": 1, "NOTE": 4}
    return Form(data, {"Bình An": (10, 40), "Bình Hòa": (20, 80)}, set_aside=aside, as_of=date(2026, 6, 15))


@form
def header_again_after_a_page_break() -> Form:
    head = ("STT", "Tên thôn", "Số hộ", "Số khẩu")
    numbers = ("(1)", "(2)", "(3)", "(4)")
    rows = [
        ("DANH SÁCH THÔN",),
        head,
        numbers,
        (1, "Bình An", 10, 40),
        (2, "Bình Hòa", 20, 80),
        (None, "Cộng trang 1", 30, 120),
        head,
        numbers,
        (3, "Tân Lập", 5, 21),
        (4, "Tân Phú", 6, 22),
        (None, "Cộng trang 2", 11, 43),
        (None, "Tổng cộng", 41, 163),
    ]
    found = {"Bình An": (10, 40), "Bình Hòa": (20, 80), "Tân Lập": (5, 21), "Tân Phú": (6, 22)}
    return Form(workbook(rows), found, set_aside={"TITLE": 1, "HEADER": 4, "TOTAL": 3})


@form
def villages_named_like_totals() -> Form:
    names = ("Cống", "Tống Khê", "Cộng Hòa", "Tổng Thuận", "Thôn Cộng", "Toàn Thắng", "Trong", "Đó")
    rows = [("STT", "Tên thôn", "Số hộ", "Số khẩu"), *((n, name, n, 10 * n) for n, name in enumerate(names, 1))]
    rows.append((None, "Cộng", 36, 360))
    return Form(
        workbook(rows),
        {name: (n, 10 * n) for n, name in enumerate(names, 1)},
        set_aside={"HEADER": 1, "TOTAL": 1},
    )


@form
def totals_above_the_rows_and_parts_of_them() -> Form:
    rows = [
        ("Tên thôn", "Số hộ", "Số khẩu"),
        ("Tổng số", 30, 121),
        ("Bình An", 10, 40),
        ("Bình Hòa", 20, 80),
        ("Trong đó: hộ nghèo", 3, 12),
    ]
    found = {"Bình An": (10, 40), "Bình Hòa": (20, 80)}
    return Form(workbook(rows), found, problems=["TOTAL_DIFFERS"], set_aside={"HEADER": 1, "TOTAL": 2})


@form
def sections_in_many_dresses() -> Form:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [
        ("TT", "Tên thôn", "Loại", "Số hộ", "Số khẩu"),
        ("I", "CÁC THÔN"),
        (1, "Bình An", "Thôn", 10, 40),
        ("A.", "Khu vực phía bắc"),
        (2, "Bình Hòa", "Thôn", 20, 80),
        ("II. CÁC TỔ DÂN PHỐ", None, None, None, None),
        (3, "Tổ 1", "Tổ dân phố", 30, 120),
        (None, "Khu trung tâm", None, None, None),
        (4, "Tổ 2", "TDP", 40, 160),
    ]:
        sheet.append(row)
    sheet.merge_cells("A6:E6")
    sheet["B8"].font = Font(bold=True)
    found = {"Bình An": (10, 40), "Bình Hòa": (20, 80), "Tổ 1": (30, 120), "Tổ 2": (40, 160)}
    return Form(saved(book), found, set_aside={"HEADER": 1, "SECTION": 4})


@form
def commune_merged_down() -> Form:
    """The unit's name stands in a cell merged over its rows (filled in by the test: it is the sender's)."""
    rows = [
        ("Mã xã", "Tên thôn", "Số hộ", "Số khẩu"),
        ("{sender}", "Bình An", 10, 40),
        (None, "Bình Hòa", 20, 80),
        (None, "Tân Lập", 5, 21),
        ("{other}", "Không của mình", 1, 1),
        (None, "Cũng không", 1, 1),
    ]
    found = {"Bình An": (10, 40), "Bình Hòa": (20, 80), "Tân Lập": (5, 21)}
    return Form(
        workbook(rows, merged=("A2:A4", "A5:A6")), found, set_aside={"HEADER": 1, "OUT_OF_SCOPE": 2}, state="accepted"
    )


@form
def numbered_rows_left_empty() -> Form:
    rows = [
        ("STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu"),
        (1, "Bình An", "Thôn", 10, 40),
        (2, "Bình Hòa", "Thôn", 20, 80),
        (3,),
        (4,),
        (5,),
    ]
    return Form(workbook(rows), {"Bình An": (10, 40), "Bình Hòa": (20, 80)}, set_aside={"HEADER": 1, "BLANK": 3})


@form
def damaged_rows_are_data() -> Form:
    """No single wrong cell may make a row look like a title, a total or a note."""
    rows = [
        ("STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu", "Ghi chú"),
        (1, "Bình An", "Thôn", 10, 40),
        (2, None, "Thôn", 20, 80),
        (3, "Bình Minh", None, None, 80),
        (4, "Bình Tân", "Thôn", None, None),
        (None, "Tân Lập", "Thôn", 5, 21),
        (6, "Tân Phú", "Thôn", "Tổng cộng", 22),
        (7, "Tân Tiến", "Thôn", 7, "TM. UBND xã"),
        ("I", "Tân Xuân", "Thôn", 8, 30),
    ]
    return Form(
        workbook(rows),
        {"Bình An": (10, 40), "Tân Lập": (5, 21), "Tân Xuân": (8, 30)},
        errors={
            ("B3", "MISSING"),
            ("D4", "MISSING"),
            ("D5", "MISSING"),
            ("E5", "MISSING"),
            ("D7", "NOT_A_NUMBER"),
            ("E8", "NOT_A_NUMBER"),
        },
        set_aside={"HEADER": 1},
    )


@form
def notes_below() -> Form:
    rows = [
        ("STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu"),
        (1, "Bình An", "Thôn", 10, 40),
        (2, "Bình Hòa (*)", "Thôn", 20, 80),
        (None, "Ghi chú: (*) mới sáp nhập"),
        ("Nguồn: Công an xã",),
        (None, "NGƯỜI LẬP", None, "KT. CHỦ TỊCH"),
        (None, "Ký tên", None, "PHÓ CHỦ TỊCH"),
    ]
    found = {"Bình An": (10, 40), "Bình Hòa (*)": (20, 80)}
    return Form(workbook(rows), found, set_aside={"HEADER": 1, "NOTE": 4})


@form
def header_words_broken_over_rows() -> Form:
    rows = [
        ("Tên thôn", "Quy mô số", "Quy mô dân"),
        (None, "hộ", "số"),
        ("Bình An", 10, 40),
    ]
    return Form(workbook(rows), {"Bình An": (10, 40)}, set_aside={"HEADER": 2})


@form
def two_sheets_of_one_list() -> Form:
    head = ("Tên thôn", "Số hộ", "Số khẩu")
    data = workbook(
        [head, ("Bình An", 10, 40), ("Hỏng", "x", 1)],
        sheet="Phía bắc",
        **{"Phía nam": [("Khu phía nam",), head, ("Tân Lập", 5, 21), ("Bình An", 10, 40), ("Hỏng nữa", 1, None)]},
    )
    return Form(
        data,
        {"Bình An": (10, 40), "Tân Lập": (5, 21)},
        errors={("B3", "NOT_A_NUMBER"), ("C5", "MISSING")},
        set_aside={"HEADER": 2, "TITLE": 1, "REPEAT": 1},
    )


@form
def one_key_in_two_sheets_that_differ() -> Form:
    head = ("Tên thôn", "Số hộ", "Số khẩu")
    data = workbook(
        [head, ("Bình An", 10, 40), ("Tân Lập", 5, 21)], sheet="T1", **{"T1 (2)": [head, ("BÌNH AN", 11, 40)]}
    )
    return Form(data, {"Tân Lập": (5, 21)}, errors={("A2", "DUPLICATE_KEY")}, set_aside={"HEADER": 2})


@form
def one_key_many_times() -> Form:
    rows = [
        HEAD,
        ("Bình An", "Thôn", 10, 40),
        ("Bình An", "Thôn", 10, 40),
        ("Bình  An", "Thôn", "10", "40"),
        ("Tân Lập", "Thôn", 5, 21),
        ("Tân Lập", "Thôn", 5, 22),
        ("tân lập", "Thôn", 5, 21),
        ("Hoà Bình", "Thôn", 1, 2),
        ("Hòa Bình", "Thôn", 1, 2),
        ("Lành", "Thôn", 3, 4),
    ]
    doubled = {(f"A{n}", "DUPLICATE_KEY") for n in (5, 6, 7, 8, 9)}
    return Form(
        workbook(rows), {"Bình An": (10, 40), "Lành": (3, 4)}, errors=doubled, set_aside={"HEADER": 1, "REPEAT": 2}
    )


@form
def hidden_rows_and_sheets() -> Form:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [("Tên thôn", "Số hộ", "Số khẩu"), ("Bình An", 10, 40), ("Khuất", 20, 80), ("Tân Lập", 5, 21)]:
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    for name, state in (("Ẩn", "hidden"), ("Rất ẩn", "veryHidden")):
        other = book.create_sheet(name)
        other.sheet_state = state
        other.append(("Tên thôn", "Số hộ", "Số khẩu"))
        other.append(("Thôn ẩn", 1, 1))
    return Form(
        saved(book),
        {"Bình An": (10, 40), "Khuất": (20, 80), "Tân Lập": (5, 21)},
        problems=["HIDDEN_ROWS", "HIDDEN_SHEET", "HIDDEN_SHEET"],
        set_aside={"HEADER": 1},
    )


@form
def other_sheets_that_are_no_tables() -> Form:
    data = workbook(
        [("Tên thôn", "Số hộ", "Số khẩu"), ("Bình An", 10, 40)],
        **{"Hướng dẫn": [("Điền số hộ và số khẩu",), ("Gửi trước ngày 5",)], "Trống": []},
    )
    return Form(data, {"Bình An": (10, 40)}, problems=["SHEET_NOT_READ"], set_aside={"HEADER": 1})


@form
def a_printed_form_as_csv() -> Form:
    rows = [
        ("UBND XÃ", "", "", "", "Biểu số 01"),
        ("DANH SÁCH THÔN ĐẾN NGÀY 30/6/2026", "", "", "", ""),
        ("", "", "", "", ""),
        ("STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu"),
        ("(1)", "(2)", "(3)", "(4)", "(5)"),
        ("I", "Các thôn", "", "", ""),
        ("1", "Bình An", "Thôn", "1.010", "4.040"),
        ("2", "Bình Hòa", "Thôn", "20", "8x"),
        ("", "Tổng cộng", "", "1.030", "4.040"),
        ("", "Người lập biểu", "", "Chủ tịch", ""),
    ]
    return Form(
        text_csv(rows, ";", "utf-8-sig", "\r\n"),
        {"Bình An": (1010, 4040)},
        errors={("E8", "NOT_A_NUMBER")},
        set_aside={"TITLE": 2, "BLANK": 1, "HEADER": 2, "SECTION": 1, "TOTAL": 1, "NOTE": 1},
        name="bieu.csv",
    )


@form
def empty_columns_and_rows_first() -> Form:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for r, row in enumerate([("Tên thôn", "Số hộ", "Số khẩu"), ("Bình An", 10, 40), ("Bình Hòa", "", 80)], 11):
        for c, value in enumerate(row, 6):
            sheet.cell(r, c, value)
    return Form(saved(book), {"Bình An": (10, 40)}, errors={("G13", "MISSING")}, set_aside={"HEADER": 1})


@form
def totals_of_sections_and_of_all() -> Form:
    rows = [
        ("STT", "Tên thôn", "Số hộ", "Số khẩu"),
        ("I", "Các thôn", None, None),
        (1, "Bình An", 10, 40),
        (2, "Bình Hòa", 20, 80),
        (None, "Cộng mục I", 30, 120),
        ("II", "Các tổ", None, None),
        (3, "Tổ 1", 5, 21),
        (None, "Cộng mục II", 5, 22),
        (None, "TỔNG CỘNG (I + II)", 35, 141),
    ]
    found = {"Bình An": (10, 40), "Bình Hòa": (20, 80), "Tổ 1": (5, 21)}
    return Form(workbook(rows), found, problems=["TOTAL_DIFFERS"], set_aside={"HEADER": 1, "SECTION": 2, "TOTAL": 3})


class Sent:
    """The world after the run, and each form with the place that it was sent from."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.places: dict[str, tuple[str, Form, str]] = {}
        for sender, (name, build) in zip(world.communes, FORMS.items(), strict=False):
            built = build()
            if name == "commune_merged_down":
                built.data = _filled(built.data, sender, world.communes[-1])
            self.places[name] = (sender, built, world.drop(sender, built.data, built.name))
        world.run()


def _filled(data: bytes, sender: str, other: str) -> bytes:
    import io

    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data))
    sheet = book.active
    assert sheet is not None
    sheet["A2"], sheet["A5"] = sender, other
    return saved(book)


@pytest.fixture(scope="module")
def sent(make_world: Make) -> Sent:
    return Sent(make_world())


@pytest.mark.parametrize("name", FORMS)
def test_a_form(name: str, sent: Sent) -> None:
    sender, expected, place = sent.places[name]
    answered = sent.world.submission(place)
    assert sent.world.open_villages(sender) == expected.villages
    assert said(answered) == expected.errors
    assert codes(answered) == expected.problems
    assert answered["set_aside"] == {k: n for k, n in expected.set_aside.items() if n}
    assert answered["as_of"] == expected.as_of.isoformat()
    wrong = {r["row"] for r in answered["rows"] if r["severity"] == "error"}
    assert answered["state"] == (expected.state or ("partly" if wrong else "accepted"))


def test_every_published_version_is_found_in_a_cell(sent: Sent) -> None:
    assert sent.world.proved() > 30


def test_every_answer_is_well_worded(sent: Sent) -> None:
    for answered in sent.world.answers():
        worded(answered)
