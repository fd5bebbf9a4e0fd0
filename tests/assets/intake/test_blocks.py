"""Several tables in one sheet, each under its own header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.tables import find_tables
from schemas.grid import KIND, FoundTable
from tests.assets.intake.test_tables import DATA, HEADER, PAIRS, VILLAGES, grid

CODES = [["Mã mới", "Mã cũ", "Tỉnh"], ["22333", "22330", "Khánh Hòa"], ["22366", "22360", "Khánh Hòa"]]
MOVED = [["Số khẩu", "Số hộ", "Tên thôn"], [700, 150, "Khau Sương"], [350, 80, "Nà Thông"]]


def found(rows: Sequence[Sequence[Any]], **more: Any) -> list[FoundTable]:
    sheet = grid(rows, **more)
    blank = [c for c in sheet.frame.columns if c.endswith(KIND) and not sheet.frame[c].max()]
    sheet.frame = sheet.frame.drop(blank, [c.removesuffix(KIND) for c in blank])  # as readers do
    tables = find_tables([sheet], [VILLAGES, PAIRS])
    for table in tables:
        assert table.rows_read == table.rows.height + table.set_aside.height
    return tables


def names(table: FoundTable) -> list[str]:
    return table.rows["village_name"].to_list()


def reasons(table: FoundTable) -> dict[int, str]:
    return dict(zip(table.set_aside["_row"], table.set_aside["reason"], strict=True))


def test_another_dataset_below() -> None:
    villages, pairs = found([["Biểu 1: danh sách thôn"], HEADER, *DATA, [], ["Biểu 2: chuyển đổi"], *CODES])
    assert (villages.dataset, pairs.dataset) == ("villages", "pairs")
    assert names(villages) == ["Nà Lụa", "Bản Mây", "Pác Đào"] and pairs.rows["new_code"].to_list() == [
        "22333",
        "22366",
    ]
    # every row of the sheet is in one of the two, its title with the table that it belongs to
    assert reasons(villages) == {1: "TITLE", 2: "HEADER", 6: "BLANK"} and reasons(pairs) == {7: "TITLE", 8: "HEADER"}
    assert villages.rows_read + pairs.rows_read == 10


def test_the_same_dataset_below_with_moved_columns() -> None:
    (table,) = found([HEADER, *DATA, [], *MOVED])
    assert names(table) == ["Nà Lụa", "Bản Mây", "Pác Đào", "Khau Sương", "Nà Thông"]
    assert table.rows["households"].to_list() == ["120", "95", "133", "150", "80"]
    first, second = table.layouts
    assert (first.columns["households"], second.columns["households"]) == ("D", "B")
    # each row finds its own layout, and so its address
    assert table.rows["_sheet"].to_list() == [first.sheet] * 3 + [second.sheet] * 2 and first.name == second.name


def test_tables_side_by_side() -> None:
    left = [HEADER[1:5], *(row[1:5] for row in DATA)]
    rows = [[*a, None, *b] for a, b in zip(left, [*CODES, [None] * 3], strict=True)]
    villages, pairs = found(rows)
    assert names(villages) == ["Nà Lụa", "Bản Mây", "Pác Đào"] and pairs.rows["old_code"].to_list() == [
        "22330",
        "22360",
    ]
    assert pairs.layouts[0].columns == {"new_code": "F", "old_code": "G", "province": "H"}


def test_two_columns_of_one_list_side_by_side() -> None:
    head = ["Tên thôn", "Số hộ", "Số khẩu"]
    rows = [[*head, None, *head], ["Nà Lụa", 120, 488, None, "Bản Mây", 95, 401]]
    (table,) = found(rows)
    assert sorted(names(table)) == ["Bản Mây", "Nà Lụa"]


def test_a_remark_beside_the_table_is_no_table() -> None:
    (table,) = found([[*HEADER[1:5], None, "Ghi chú"], *([*row[1:5], None, "đã kiểm tra"] for row in DATA)])
    assert names(table) == ["Nà Lụa", "Bản Mây", "Pác Đào"]


def test_a_header_printed_again_cuts_nothing() -> None:
    (table,) = found([HEADER, *DATA, HEADER, [4, "Khau Sương", "Thôn", 150, 700]])
    assert len(names(table)) == 4 and len(table.layouts) == 1 and reasons(table) == {1: "HEADER", 5: "HEADER"}


def test_many_tables_in_a_sheet() -> None:
    plain, moved = (HEADER, [1, "", "Thôn", 120, 488], 1), (MOVED[0], [7, 1, ""], 2)
    rows: list[list[Any]] = []
    for n in range(30):
        head, row, at = moved if n % 2 else plain
        rows += [list(head), [f"Thôn {n}" if j == at else cell for j, cell in enumerate(row)], []]
    (table,) = found(rows)
    assert sorted(names(table)) == sorted(f"Thôn {n}" for n in range(30))


@given(
    st.integers(0, len(DATA) - 1),
    st.integers(0, 4),
    st.sampled_from(["Tên thôn", "Số hộ", "Số khẩu", "Thôn", "Mã mới", "x", ""]),
)
def test_no_damage_to_one_cell_cuts_a_table(at: int, column: int, text: str) -> None:
    rows = [HEADER, *(list(row) for row in DATA)]
    rows[1 + at][column] = text
    (table,) = found(rows)
    assert len(table.layouts) == 1 and table.rows_read == len(rows)


@pytest.mark.parametrize("size", [0, 1])
def test_a_second_header_without_rows(size: int) -> None:
    tables = found([HEADER, *DATA, [], CODES[0], *CODES[1 : 1 + size]])
    assert [t.rows.height for t in tables] == [3, size]
