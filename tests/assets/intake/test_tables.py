"""From grids to tables: forms as communes send them, each trap by itself, and the property that no data row is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake.csvfile import read_csv
from assets.intake.tables import OWN_SHEETS, find_header, find_tables, rows_of
from assets.intake.workbook import letters, read_workbook
from schemas import messages
from schemas.contract import Contract, load_contract
from schemas.grid import KIND, FoundTable, Grid, Kind, Unreadable

from .test_headers import VILLAGES, column, contract

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared"
HEADER = ["STT", "Tên thôn", "Loại hình", "Số hộ", "Số khẩu", "Ghi chú"]
WIDTH = len(HEADER)
DATA = [[1, "Nà Lụa", "Thôn", 120, 488], [2, "Bản Mây", "Thôn", 95, 401], [3, "Pác Đào", "Thôn", 133, 560]]
PAIRS = contract(
    "pairs",
    column("province", "Tỉnh"),
    column("new_code", "Mã mới", required=True, key_position=1),
    column("old_code", "Mã cũ", required=True, key_position=2),
    column("note", "Ghi chú"),
)


def grid(rows: Sequence[Sequence[Any]], first_row: int = 1, **more: Any) -> Grid:
    """A grid of the rows; None is blank, a text starting with '#' an error, '=' a formula without a stored result."""
    width = max((len(r) for r in rows), default=1)
    frame: dict[str, pl.Series] = {"_row": pl.Series(range(first_row, first_row + len(rows)), dtype=pl.Int32)}
    for j in range(width):
        cells = [row[j] if j < len(row) else None for row in rows]
        texts, kinds = zip(*(cell(c) for c in cells), strict=True) if cells else ((), ())
        frame[letters(j + 1)] = pl.Series(texts, dtype=pl.String)
        frame[letters(j + 1) + KIND] = pl.Series(kinds, dtype=pl.UInt8)
    return Grid(more.pop("name", "Sheet1"), more.pop("index", 0), pl.DataFrame(frame), **more)


def cell(value: Any) -> tuple[str, Kind]:
    if value is None:
        return "", Kind.BLANK
    if isinstance(value, int | float):
        return str(value), Kind.NUMBER
    if value == "=":
        return "", Kind.UNCALCULATED
    return value, Kind.ERROR if value.startswith("#") else Kind.TEXT


def table(*grids: Grid, contracts: Sequence[Contract] = (VILLAGES,), dataset: str | None = None) -> FoundTable:
    (found,) = find_tables(grids, contracts, dataset)
    assert found.rows_read == found.rows.height + found.set_aside.height
    return found


def names(found: FoundTable) -> list[str]:
    return found.rows["village_name"].to_list()


def reasons(found: FoundTable) -> dict[int, str]:
    return dict(zip(found.set_aside["_row"], found.set_aside["reason"], strict=True))


def below(*rows: Sequence[Any]) -> FoundTable:
    """The table of a sheet with the plain header in row 1."""
    return table(grid([HEADER, *rows]))


# -------------------------------------------------------------------------------------------------------------- headers


def test_plain_sheet() -> None:
    found = below(*DATA)
    assert found.rows.columns == [
        "_sheet", "_row", *(n + s for n in ("village_name", "village_type", "households", "population")
                            for s in ("", KIND)),
    ]  # fmt: skip
    assert found.rows.schema["_sheet"] == pl.Int16
    assert found.rows["_row"].to_list() == [2, 3, 4]
    assert found.rows["households"].to_list() == ["120", "95", "133"]
    assert found.rows["households" + KIND].to_list() == [Kind.NUMBER] * 3
    (layout,) = found.layouts
    assert layout.columns == {"village_name": "B", "village_type": "C", "households": "D", "population": "E"}
    assert (layout.header_rows, layout.rows_below_header, found.problems) == ((1, 1), 3, [])


TOP = [["UBND XÃ PÁC THÔNG", None, None, "Biểu số 01/TK-X"], [], ["TỔNG HỢP THÔN, TỔ DÂN PHỐ"], ["ĐVT: hộ, người"]]
TWO = [["STT", "Tên thôn", "Loại hình", "Quy mô", None, "Ghi chú"], [None, None, None, "Số hộ", "Số khẩu"]]


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "stacked"])
@pytest.mark.parametrize("indent", [0, 2])
def test_printed_form(merged: bool, indent: int) -> None:
    numbering = [f"({i})" for i in range(1, WIDTH + 1)]
    rows = [[None] * indent + row for row in [*TOP, *TWO, numbering, *DATA]]
    ranges = [(3, 1, 3, 6), *((5, c, 6, c) for c in (1, 2, 3, 6)), (5, 4, 5, 5)] if merged else []
    found = table(grid(rows, merged=tuple((a, b + indent, c, d + indent) for a, b, c, d in ranges)))
    assert names(found) == ["Nà Lụa", "Bản Mây", "Pác Đào"]
    assert found.layouts[0].header_rows == (5, 6)
    assert found.layouts[0].columns["households"] == letters(4 + indent)
    expected = {1: "TITLE", 2: "BLANK", 3: "TITLE", 4: "TITLE", 5: "HEADER", 6: "HEADER", 7: "HEADER"}
    assert reasons(found) == expected


def test_three_row_header_with_the_same_child_under_two_parents() -> None:
    twice = contract("twice", column("name", "Tên thôn", required=True),
                     column("before", "Đầu kỳ Số hộ", kind="integer", required=True),
                     column("after", "Cuối kỳ Số hộ", kind="integer", required=True))  # fmt: skip
    head = [["Tên thôn", "Số liệu"], [None, "Đầu kỳ", "Cuối kỳ"], [None, "Số hộ", "Số hộ"]]
    ranges = ((1, 1, 3, 1), (1, 2, 1, 3))
    found = table(grid([*head, ["Nà Lụa", 1, 2]], merged=ranges), contracts=[twice])
    assert found.layouts[0].columns == {"name": "A", "before": "B", "after": "C"}
    assert found.layouts[0].header_rows == (1, 3)


def test_header_broken_over_two_rows_word_by_word() -> None:
    found = table(grid([["Tên", "Số", "Số"], ["thôn", "hộ", "khẩu"], ["Nà Lụa", 1, 2]]))
    assert names(found) == ["Nà Lụa"]


@pytest.mark.parametrize(
    "numbering",
    [["A", "B", 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], ["(1)", "(2)", "(3)", "(4)=(5)+(6)", "(5)", "(6)"]],
)
def test_numbering_row(numbering: list[Any]) -> None:
    found = below(numbering, *DATA)
    assert reasons(found) == {1: "HEADER", 2: "HEADER"}


@pytest.mark.parametrize("numbering", [[-1, -2, -3, -4, -5], ["[1]", "[2]", "[3]", "[4]", "[5]"]])
def test_numbers_in_brackets_that_the_program_turned_into_others(numbering: list[Any]) -> None:
    assert reasons(below(numbering, *DATA))[2] == "HEADER"


def test_a_row_of_small_negative_figures_is_no_numbering() -> None:
    assert 2 not in reasons(below([1, "Nà Lụa", "Thôn", -1, -2], *DATA[1:]))


def test_header_repeated_after_a_page_break() -> None:
    numbering = [f"({i})" for i in range(1, WIDTH + 1)]
    found = below(numbering, DATA[0], HEADER, numbering, *DATA[1:])
    assert names(found) == ["Nà Lụa", "Bản Mây", "Pác Đào"]
    assert reasons(found) == {1: "HEADER", 2: "HEADER", 4: "HEADER", 5: "HEADER"}


def test_no_data_rows() -> None:
    found = below([None, "Tổng cộng", None, 0, 0])
    assert found.rows.height == 0
    assert found.rows.columns[:4] == ["_sheet", "_row", "village_name", "village_name" + KIND]


# ------------------------------------------------------------------------------------------- sections, totals, controls


def test_sections_totals_and_their_controls() -> None:
    found = below(
        ["I", "CÁC THÔN"], *DATA[:2], [None, "Cộng", None, 215, 889],
        ["II", "TỔ DÂN PHỐ"], DATA[2], [None, "Cộng", None, 133, 560],
        [None, "Tổng cộng", None, 348, "="],
    )  # fmt: skip
    assert reasons(found) == {1: "HEADER", 2: "SECTION", 5: "TOTAL", 6: "SECTION", 8: "TOTAL", 9: "TOTAL"}
    assert [(c.row, c.column, c.text, c.first_row, c.last_row) for c in found.controls] == [
        (5, "households", "215", 3, 4), (5, "population", "889", 3, 4),
        (8, "households", "133", 7, 7), (8, "population", "560", 7, 7),
        (9, "households", "348", 3, 7),
    ]  # fmt: skip


def test_a_grand_total_above_the_rows_covers_them_all() -> None:
    found = below([None, "Tổng số", None, 348, 1449], *DATA)
    assert {(c.row, c.first_row, c.last_row) for c in found.controls} == {(2, 3, 5)}


def test_of_which_rows_are_no_controls() -> None:
    found = below(*DATA, ["Tổng cộng", None, None, 348, 1449], [None, "Trong đó:"], [None, "- Thôn", None, 348, 1449])
    assert reasons(found) == {1: "HEADER", 5: "TOTAL", 6: "TOTAL", 7: "TOTAL"}
    assert {c.row for c in found.controls} == {5}


@pytest.mark.parametrize(
    "label",
    ["Cộng", "CỘNG:", "Tổng cộng", "TỔNG CỘNG", "To\u0302\u0309ng co\u0323\u0302ng", "Tổng số", "TC", "Toàn xã",
     "Cộng mục I", "Tổng cộng (3 thôn)", "Tong cong", "Tổng số thôn", "Cộng toàn xã"],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1])
def test_total_words(label: str, place: int) -> None:
    total: list[Any] = [None, None, None, 348, 1449]
    total[place] = label
    assert reasons(below(*DATA, total)) == {1: "HEADER", 5: "TOTAL"}


@pytest.mark.parametrize("label", ["Tổng cộng toàn xã Ninh Hải", "Toàn xã Ninh Hải", "TỔNG SỐ CỦA XÃ NINH HẢI"])
def test_totals_that_name_the_commune(label: str) -> None:
    found = below(*DATA, [None, label, None, 348, 1449])
    assert reasons(found)[5] == "TOTAL"
    assert [(c.column, c.text) for c in found.controls] == [("households", "348"), ("population", "1449")]


@pytest.mark.parametrize("label", ["Cộng dồn", "Lũy kế từ đầu năm", "Luỹ kế"])
def test_running_totals_are_no_controls(label: str) -> None:
    found = below(*DATA, [None, label, None, 999, 9999])
    assert reasons(found)[5] == "TOTAL" and found.controls == []


def test_a_total_under_a_running_number_is_told_by_its_sums() -> None:
    assert reasons(below(*DATA, [4, "Tổng cộng", None, 348, 1449]))[5] == "TOTAL"
    assert 5 not in reasons(below(*DATA, [4, "Tổng cộng", None, 348, 1448]))
    assert 5 not in reasons(below(*DATA, [4, "Cộng", None, 348, 1449]))  # may be a name


def test_bold_sections_with_numbers_of_their_own() -> None:
    rows = [["1.", "Khu vực một"], ["1.1", "Nà Lụa", "Thôn", 120, 488], ["1.2", "Bản Mây", "Thôn", 95, 401],
            ["2.", "Khu vực hai"], ["2.1", "Pác Đào", "Thôn", 133, 560]]  # fmt: skip
    assert reasons(table(grid([HEADER, *rows], bold_rows=frozenset({2, 5})))) == {
        1: "HEADER",
        2: "SECTION",
        5: "SECTION",
    }
    plain = table(grid([HEADER, *rows]))
    assert names(plain)[0] == "Khu vực một"  # nothing but an empty figure says so: it may be a village


@pytest.mark.parametrize("kind", ["4 thôn", "3 thôn, 1 tổ dân phố"])
def test_a_total_may_count_units_in_another_column(kind: str) -> None:
    assert reasons(below(*DATA, [None, "Tổng cộng", kind, 348, 1449])) == {1: "HEADER", 5: "TOTAL"}
    assert reasons(below(*DATA, ["Tổng cộng", kind, None, 348, 1449])) == {1: "HEADER", 5: "TOTAL"}


@pytest.mark.parametrize(
    "name", ["Cộng Hòa", "Tổng Cộng Hòa", "Cống", "Tống", "Tổng Cọt", "Toàn Thắng", "Cộng", "Tổng cộng", "Ghi chú", "I"]
)
def test_a_village_with_its_figures_is_data_whatever_its_name(name: str) -> None:
    found = below(*DATA[:2], [3, name, "Thôn", 10, 40], DATA[2])
    assert names(found) == ["Nà Lụa", "Bản Mây", name, "Pác Đào"]


@pytest.mark.parametrize("name", ["Cộng Hòa", "Tổng Cộng Hòa", "Cống", "Tống", "Công", "Cong", "NA", "TC", "Ghi Chú"])
def test_also_in_a_table_of_names_and_figures_only(name: str) -> None:
    found = table(grid([["Tên thôn", "Số hộ", "Số khẩu"], ["Nà Lụa", 1, 2], [name, 3, 4]]))
    assert names(found) == ["Nà Lụa", name]


def test_a_section_with_its_sum_is_a_total_and_with_other_figures_data() -> None:
    found = below(["I", "CÁC THÔN", None, 215, 889], *DATA[:2], ["II", "KHÁC", None, 999, 560], DATA[2])
    assert reasons(found) == {1: "HEADER", 2: "TOTAL"}
    assert "KHÁC" in names(found)


@pytest.mark.parametrize(
    "section",
    [["I", "Các thôn"], ["A.", "Các thôn"], [None, "I. Các thôn"], ["I. CÁC THÔN"], [None, "KHU VỰC MIỀN NÚI"],
     [None, "Khu vực miền núi"]],
)  # fmt: skip
def test_section_rows(section: list[Any]) -> None:
    assert reasons(below(section, *DATA)) == {1: "HEADER", 2: "SECTION"}


def test_a_lone_text_over_the_width_is_a_section_outside_the_key_too() -> None:
    head = ["Tỉnh", "Mã mới", "Mã cũ", "Ghi chú"]
    rows = [["HÀ NỘI"], ["Hà Nội", "1", "2", "a"], ["Tỉnh Bắc Ninh (24)"], ["Bắc Ninh", "3", "4", "b"]]
    assert reasons(table(grid([head, *rows]), contracts=[PAIRS])) == {1: "HEADER", 2: "SECTION", 4: "SECTION"}


def test_a_name_whose_figures_are_missing_stays_data() -> None:
    found = below(*DATA[:2], [3, "Nà Thông"], [4, "KHAU SƯƠNG", "Thôn"], [5, "Tổ 1", None, None, 8])
    assert names(found)[2:] == ["Nà Thông", "KHAU SƯƠNG", "Tổ 1"]
    narrow = table(grid([["Tên thôn", "Số hộ"], ["Nà Lụa", 1], ["BẢN MÂY", None]]))
    assert names(narrow) == ["Nà Lụa", "BẢN MÂY"]


def test_an_error_cell_makes_no_row_vanish() -> None:
    found = below([1, "#REF!", "Thôn", 1, 2], [2, "Bản Mây", None, "#DIV/0!", "="], [None, None, None, "=", None])
    assert found.rows["_row"].to_list() == [2, 3, 4]
    assert found.rows["households" + KIND].to_list() == [Kind.NUMBER, Kind.ERROR, Kind.UNCALCULATED]


# -------------------------------------------------------------------------------------------- blanks, notes, signatures


def test_blank_rows_and_numbers_printed_in_advance() -> None:
    found = below(*DATA, [None, " ", "\u00a0"], [4], [5, None])
    assert reasons(found) == {1: "HEADER", 5: "BLANK", 6: "BLANK", 7: "BLANK"}


SIGNATURES = [
    [[None, "Người lập biểu", None, "TM. ỦY BAN NHÂN DÂN"], [None, "(Ký, ghi rõ họ tên)", None, "CHỦ TỊCH"], [],
     [None, "Lý Thị Sương", None, "Nông Văn Tý Lụa"]],
    [[None, None, None, "Pác Thông, ngày 30 tháng 6 năm 2026"], ["Nơi nhận:", None, None, "KT. CHỦ TỊCH"],
     ["- Như trên;", None, None, "PHÓ CHỦ TỊCH"], [None, None, None, "Nông Văn Tý"]],
    [["Ghi chú: số liệu tạm tính"], [None, "Nguồn: Công an xã"], [None, "NGƯỜI LẬP"], [None, "Lý Thị Sương"]],
]  # fmt: skip


@pytest.mark.parametrize("block", SIGNATURES)
def test_notes_and_signature_block(block: list[list[Any]]) -> None:
    found = below(*DATA, [None, "Tổng cộng", None, 348, 1449], [], *block)
    assert names(found) == ["Nà Lụa", "Bản Mây", "Pác Đào"]
    assert set(reasons(found).values()) == {"HEADER", "TOTAL", "BLANK", "NOTE"}


def test_a_post_in_a_list_of_staff_is_no_signature() -> None:
    staff = contract("staff", column("full_name", "Họ và tên", required=True, key_position=1),
                     column("post", "Chức vụ"), column("unit", "Đơn vị"))  # fmt: skip
    rows = [["Nguyễn A", "Chủ tịch", "UBND"], ["Trần B", "Kế toán", "Văn phòng"], ["Lê C", "Bí thư", "Đảng ủy"]]
    found = table(grid([["Họ và tên", "Chức vụ", "Đơn vị"], *rows]), contracts=[staff])
    assert found.rows["full_name"].to_list() == ["Nguyễn A", "Trần B", "Lê C"]


@pytest.mark.parametrize("last", [
    ["Trần B", "056085001235", "Công chức", None, None],
    ["Trần B", None, "Kế toán", "Văn phòng", "CONG_CHUC"],
])  # fmt: skip
def test_a_post_in_a_list_with_figures_is_no_signature_either(last: list[Any]) -> None:
    staff = contract("staff", column("citizen_id", "Số CCCD", required=True, key_position=1), column("full_name", "Họ và tên"),
                     column("post", "Chức vụ"), column("unit", "Đơn vị"), column("kind", "Loại cán bộ"),
                     column("hours", "Giờ bồi dưỡng", kind="number"))  # fmt: skip
    head = ["Họ và tên", "Số CCCD", "Chức vụ", "Đơn vị", "Loại cán bộ", "Giờ bồi dưỡng"]
    rows = [["Nguyễn A", "056085001234", "Chủ tịch", "UBND", "CAN_BO", 40], [*last, None]]
    signed = [
        [],
        ["Người lập biểu", None, None, "Nha Trang, ngày 5 tháng 6 năm 2026"],
        ["Lê C", None, None, "CHỦ TỊCH"],
    ]
    found = table(grid([head, *rows, *signed]), contracts=[staff])
    assert found.rows["full_name"].to_list() == ["Nguyễn A", "Trần B"]
    assert set(reasons(found).values()) == {"HEADER", "BLANK", "NOTE"}


def test_rows_after_a_signature_are_still_data() -> None:
    found = below(DATA[0], [None, "Người lập biểu"], [2, "Bản Mây", "Thôn", 95, 401])
    assert names(found)[0] == "Nà Lụa"
    assert names(found)[-1] == "Bản Mây"


# ------------------------------------------------------------------------------------------------ merges, dates, sheets


def test_merged_keys_fill_down_inside_the_range_only() -> None:
    head = ["Tỉnh", "Mã mới", "Mã cũ", "Ghi chú"]
    rows = [["P", "00004", "1", "a"], [None, None, "2", "b"], [None, None, "3", "c"], [None, "00008", "4", "d"]]
    found = table(grid([head, *rows], merged=((2, 2, 3, 2), (2, 1, 5, 1))), contracts=[PAIRS])
    assert found.rows["new_code"].to_list() == ["00004", "00004", "", "00008"]
    assert found.rows["new_code" + KIND].to_list() == [Kind.TEXT, Kind.TEXT, Kind.BLANK, Kind.TEXT]
    assert found.rows["province"].to_list() == ["P"] * 4


def test_a_merged_figure_is_not_multiplied() -> None:
    found = table(grid([HEADER, *DATA[:1], [2, "Bản Mây", "Thôn", None, 401]], merged=((2, 4, 3, 4),)))
    assert found.rows["households"].to_list() == ["120", ""]


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        (["Số liệu tính đến ngày 30/06/2026"], (date(2026, 6, 30), "A1")),
        (["ĐẾN NGÀY 30/06/2026"], (date(2026, 6, 30), "A1")),
        (["Tính đến 30 tháng 6 năm 2026"], (date(2026, 6, 30), "A1")),
        (["TỔNG HỢP", "(từ ngày 01/7/2025)"], (date(2025, 7, 1), "A2")),
        (["Từ ngày 01/04/2026 đến ngày 30/06/2026"], (date(2026, 6, 30), "A1")),
        (["Ban hành kèm theo Thông tư số 05/2022/TT-BNV ngày 23/12/2022", "Thời điểm: 30/6/2026"],
         (date(2026, 6, 30), "A2")),
        (["Pác Thông, ngày 05 tháng 7 năm 2026"], None),
        (["Tính đến 31/12/2025", "Tính đến 30/06/2026"], None),
        (["Tính đến 31/06/2026"], None),
        (["Quý II năm 2026"], None),
    ],
)  # fmt: skip
def test_date_stated_in_titles(titles: list[str], expected: tuple[date, str] | None) -> None:
    found = table(grid([*([t] for t in titles), HEADER, *DATA]))
    assert (found.stated_as_of, found.stated_as_of_address) == (expected or (None, None))


def test_a_date_below_the_header_is_not_the_as_of_date() -> None:
    assert below(*DATA, ["Tính đến ngày 30/06/2026"]).stated_as_of is None


def test_hidden_rows_are_read_and_hidden_sheets_are_not() -> None:
    shown = grid([HEADER, *DATA], hidden_rows=(3,))
    hidden = grid([HEADER, *DATA], name="Ẩn", index=1, hidden=True)
    other = grid([["Hướng dẫn"], ["Điền đủ các cột"]], name="HD", index=2)
    found = table(shown, hidden, other)
    assert found.rows.height == 3
    assert {p.code: p.params for p in found.problems} == {
        "HIDDEN_SHEET": {"sheet": "Ẩn"}, "SHEET_NOT_READ": {"sheet": "HD"},
        "HIDDEN_ROWS": {"sheet": "Sheet1", "count": 1},
    }  # fmt: skip


def test_sheets_of_one_dataset_are_put_together() -> None:
    moved = grid([["Số hộ", "Tên thôn"], [7, "Nà Thông"]], name="T2", index=1)
    found = table(grid([HEADER, *DATA]), moved)
    assert found.rows["_sheet"].to_list() == [0, 0, 0, 1]
    assert found.rows["households"].to_list()[-1] == "7"
    assert found.rows["population" + KIND].to_list()[-1] == Kind.BLANK
    assert [layout.sheet for layout in found.layouts] == [0, 1]


def test_a_sheet_of_the_same_dataset_with_a_damaged_header_rejects_the_delivery() -> None:
    damaged = grid([["STT", "Tên thôn", "Loại hình", "#REF!", "Số khẩu"], *DATA], name="T2", index=1)
    with pytest.raises(Unreadable) as caught:
        find_tables([grid([HEADER, *DATA]), damaged], [VILLAGES])
    assert caught.value.problem.code == "MISSING_HEADER"
    assert caught.value.problem.params["sheet"] == "T2"


def test_a_stated_dataset_does_not_make_a_table_of_a_guide_sheet() -> None:
    guide = grid([["Thôn", "Ghi chú"], ["Tên thôn", "ghi đủ"]], name="HD", index=1)
    found = table(grid([HEADER, *DATA]), guide, dataset="villages")
    assert [p.code for p in found.problems] == ["SHEET_NOT_READ"]
    with pytest.raises(Unreadable) as caught:
        find_tables([guide], [VILLAGES], "villages")
    assert caught.value.problem.code == "MISSING_HEADER"


def test_a_contract_that_names_its_sheets_is_read_from_those_if_they_are_there() -> None:
    named = replace(VILLAGES, sheets=("Biểu 1",))
    printed, plain = grid([HEADER, *DATA], name="In"), grid([HEADER, *DATA[:1]], name="BIỂU 1 ", index=1)
    assert table(printed, plain, contracts=[named]).rows.height == 1
    assert table(printed, contracts=[named]).rows.height == 3


def test_two_datasets_in_one_workbook() -> None:
    pairs = grid([["Tỉnh", "Mã mới", "Mã cũ"], ["P", "1", "2"]], name="P", index=1)
    found = find_tables([grid([HEADER, *DATA]), pairs], [VILLAGES, PAIRS])
    assert [(t.dataset, t.rows.height) for t in found] == [("villages", 3), ("pairs", 1)]


@pytest.mark.parametrize(
    ("grids", "code"),
    [([grid([["a", "b"], ["c", "d"]])], "UNKNOWN_DATASET"), ([grid([[]])], "UNKNOWN_DATASET"), ([], "NO_DATA_ROWS")],
)
def test_nothing_to_read(grids: list[Grid], code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        find_tables(grids, [VILLAGES])
    assert caught.value.problem.code == code


def test_unknown_column_is_said_and_the_stated_unit_kept() -> None:
    found = table(grid([["ĐVT: nghìn hộ"], [*HEADER, "Trưởng thôn"], [*DATA[0], None, "x"]]))
    (problem,) = found.problems
    assert (problem.code, problem.params["letter"]) == ("UNKNOWN_COLUMN", "G")
    assert found.layouts[0].units == {"households": "nghìn hộ", "population": "nghìn hộ"}


def test_batches_of_a_csv_give_what_the_whole_gives() -> None:
    rows = [["Danh sách"], HEADER, *DATA, [None, "Cộng", None, 348, 1449], [4, "Nà Thông", "Thôn", 5, 9],
            [None, "Cộng", None, 5, 9], [None, "Tổng cộng", None, 353, 1458], ["Người lập biểu"]]  # fmt: skip
    whole = table(grid(rows))
    head = find_header(grid(rows[:4]), [VILLAGES])
    parts = [rows_of(grid(rows[i : i + 3], first_row=i + 1), head) for i in range(0, len(rows), 3)]
    assert pl.concat([p.rows for p in parts]).equals(whole.rows.drop("_sheet"))
    assert pl.concat([p.set_aside for p in parts]).sort("_row").equals(whole.set_aside.drop("_sheet").sort("_row"))
    assert [c for p in parts for c in p.controls] == whole.controls


# ---------------------------------------------------------------------------------------------------- the main property

NAME = st.sampled_from(["Nà Lụa", "Bản Mây", "Cộng Hòa", "Cống", "Tổng Cọt", "NA", "NULL", "Tổ 1", "Thôn 2", "XÓM MỚI"])
VALUE = st.one_of(st.integers(0, 3000), st.sampled_from(["1.234", "chưa thống kê", "#REF!", "=", None]))


@st.composite
def forms(draw: st.DrawFn) -> tuple[Grid, list[list[Any]]]:
    """A printed form around known data rows, and those rows."""
    title = st.sampled_from(["UBND XÃ", "Biểu 01", None])
    rows: list[list[Any]] = [[draw(title)] for _ in range(draw(st.integers(0, 4)))]
    two, numbered, indent = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 2))
    merged: list[tuple[int, int, int, int]] = []
    top = len(rows) + 1
    rows += TWO if two else [HEADER]
    if two and draw(st.booleans()):
        merged += [*((top, c, top + 1, c) for c in (1, 2, 3, 6)), (top, 4, top, 5)]
    if numbered:
        rows.append([f"({i})" for i in range(1, WIDTH + 1)])
    data: list[list[Any]] = []
    for section in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            rows.append([["I", "II", "III"][section], "KHU VỰC"])
        for _ in range(draw(st.integers(1, 4))):
            row = [len(data) + 1, draw(NAME), "Thôn", draw(VALUE), draw(VALUE)]
            data.append(row)
            rows.append(row)
            if draw(st.integers(0, 5)) == 0:
                rows.append([])
        if draw(st.booleans()):
            rows.append([None, "Cộng", None, 1, 2])
    if draw(st.booleans()):
        rows.append([None, "Tổng cộng", None, 3, "="])
    if draw(st.booleans()):
        rows += [[], *draw(st.sampled_from(SIGNATURES))]
    shifted = tuple((a, b + indent, c, d + indent) for a, b, c, d in merged)
    return grid([[None] * indent + row for row in rows], merged=shifted), data


@settings(max_examples=60, deadline=None)
@given(forms())
def test_exactly_the_data_rows_come_back(form: tuple[Grid, list[list[Any]]]) -> None:
    sheet, data = form
    found = table(sheet)
    assert names(found) == [row[1] for row in data]
    for i, name in ((3, "households"), (4, "population")):
        assert list(zip(found.rows[name], found.rows[name + KIND], strict=True)) == [cell(row[i]) for row in data]
    rows = [*found.rows["_row"], *found.set_aside["_row"]]
    assert sorted(rows) == sheet.frame["_row"].to_list()


JUNK = st.sampled_from([None, "", "xx", "I", "#REF!", "=", 7, "1.234", "\u00a0", "KHU VỰC", "Chủ tịch", "12/2026"])


@settings(max_examples=100, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_damage_to_one_cell_makes_no_data_row_vanish(data: st.DataObject, narrow: bool, signed: bool) -> None:
    rows = [[row[1], row[3]] if narrow else list(row) for row in DATA]
    row, at = data.draw(st.sampled_from(rows)), data.draw(st.integers(0, 1 if narrow else 4))
    row[at] = data.draw(JUNK)
    head = ["Tên thôn", "Số hộ"] if narrow else HEADER
    found = table(grid([head, *rows, *([[], *SIGNATURES[0]] if signed and not narrow else [])]))
    assert found.rows["_row"].to_list()[:3] == [2, 3, 4]


# ----------------------------------------------------------------------------------------------------------- real files


@pytest.fixture(scope="module")
def changes() -> Contract:
    return load_contract(ROOT / "schemas/contracts/unit_changes.odcs.yaml")


def test_case_g06() -> None:
    path = SHARED / "cases/G06/bieu01_pac_thong.xlsx"
    if not path.exists():
        pytest.skip("shared/cases is not beside the repository")
    villages = load_contract(ROOT / "schemas/contracts/villages.odcs.yaml")
    found = table(*read_workbook(path.read_bytes()), contracts=[villages])
    assert found.rows["_row"].to_list() == [11, 12, 14, 16, 18]
    assert (found.stated_as_of, found.stated_as_of_address) == (date(2026, 6, 30), "B4")
    assert [(c.column, c.text, c.first_row, c.last_row) for c in found.controls][:1] == [("households", "348", 11, 14)]


def test_real_workbook_of_old_and_new_units(changes: Contract) -> None:
    path = SHARED / "data/real/admin/BangChuyendoiDVHCmoi_cu_final.xlsx"
    if not path.exists():
        pytest.skip("shared/data is not beside the repository")
    found = table(*read_workbook(path.read_bytes()), contracts=[changes])
    assert found.layouts[0].rows_below_header == 10_605
    assert found.rows.height == 10_571
    assert dict(found.set_aside["reason"].value_counts().iter_rows()) == {"TITLE": 1, "HEADER": 1, "SECTION": 34}
    assert found.rows.filter(pl.col("old_code") == "").height == 6
    assert found.stated_as_of == date(2025, 7, 1)
    assert [p.code for p in found.problems] == ["SHEET_NOT_READ"]


def test_its_csv_twin_has_the_same_rows(changes: Contract) -> None:
    path = SHARED / "data/real/admin/BangChuyendoiDVHCmoi_cu_khong_merge.csv"
    if not path.exists():
        pytest.skip("shared/data is not beside the repository")
    found = table(read_csv(path.read_bytes()), contracts=[changes])
    assert (found.layouts[0].rows_below_header, found.rows.height) == (10_605, 10_571)
    assert found.set_aside.filter(pl.col("reason") == "SECTION").height == 34
    assert found.rows.filter(pl.col("province_code").str.contains("(56)", literal=True)).height == 205


def test_case_g08() -> None:
    path = SHARED / "cases/G08/thon_khau_may.csv"
    if not path.exists():
        pytest.skip("shared/cases is not beside the repository")
    villages = load_contract(ROOT / "schemas/contracts/villages.odcs.yaml")
    found = table(read_csv(path.read_bytes()), contracts=[villages])
    assert names(found) == ["NA", "NULL", "None", "nan", "Bản Đào; Mây", ""]
    assert found.layouts[0].columns["commune_code"] == "B"


@pytest.mark.parametrize("hidden", [False, True])
def test_a_sheet_of_a_template_is_left_as_long_as_it_says_so(hidden: bool) -> None:
    figures = grid([["Tên thôn", "Số hộ", "Số khẩu"], ["Bình An", 3, 9]])
    mark = [messages.text("template", "own_sheet")]
    like_data = [["Tên thôn", "Số hộ", "Số khẩu"], ["Ví dụ", 1, 2]]
    for name in OWN_SHEETS:
        found = table(figures, grid([mark, *like_data], name=name, index=1, hidden=hidden))
        assert (found.rows.height, found.problems) == (1, [])
    if not hidden:  # without its mark it is a sheet as any other
        assert table(figures, grid(like_data, name=OWN_SHEETS[0], index=1)).rows.height == 2
    assert table(figures, grid([mark, *like_data], name="Trang khác", index=1)).rows.height == 2
