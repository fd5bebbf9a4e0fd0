"""One sheet a village: a value that the sheet's name or title states, and when it is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from assets.intake.tables import find_tables
from schemas.contract import builtin_folder, load_contract
from schemas.grid import FoundTable, Unreadable

from .test_tables import grid

VILLAGES = load_contract(builtin_folder() / "villages.odcs.yaml")
HEAD = ["STT", "Số hộ", "Số khẩu"]
ROW = [1, 120, 488]


def read(**sheets: list[list[Any]]) -> FoundTable:
    grids = [grid(rows, name=name, index=n) for n, (name, rows) in enumerate(sheets.items())]
    (found,) = find_tables(grids, [VILLAGES])
    assert found.rows_read == found.rows.height + found.set_aside.height
    return found


def refused(**sheets: list[list[Any]]) -> str:
    with pytest.raises(Unreadable) as caught:
        read(**sheets)
    return caught.value.problem.code


def test_a_sheet_a_village() -> None:
    found = read(**{"Thôn Nà Lụa": [HEAD, ROW], "TDP 3": [HEAD, ROW], "Tổ dân phố Số 4 (2)": [HEAD, ROW]})
    assert found.rows["village_name"].to_list() == ["Thôn Nà Lụa", "TDP 3", "Tổ dân phố Số 4"]
    assert [lay.given for lay in found.layouts][0] == {"village_name": "Thôn Nà Lụa"}
    assert "village_name" not in found.layouts[0].columns


@pytest.mark.parametrize("title", ["Thôn: Nà Lụa", "Đơn vị: Thôn Nà Lụa", "THÔN NÀ LỤA"])
def test_a_title_says_the_village(title: str) -> None:
    found = read(Sheet1=[["BÁO CÁO SỐ HỘ"], [title], HEAD, ROW])
    assert found.rows["village_name"].str.to_lowercase().to_list() == ["thôn nà lụa"]


@pytest.mark.parametrize(
    "name",
    ["Sheet1", "Bản cuối", "Tổng hợp", "Thôn", "Thôn, TDP", "Thôn và TDP", "Thôn TDP", "Thôn Nà Lụa xã Ninh Hải", "T1",
     "Các thôn", "Thôn năm 2026", "Thôn tháng 6"],
)  # fmt: skip
def test_other_names_say_nothing(name: str) -> None:
    assert refused(**{name: [HEAD, ROW]}) == "MISSING_HEADER"


def test_two_titles_that_differ_say_nothing() -> None:
    assert refused(Sheet1=[["Thôn: Nà Lụa"], ["Thôn: Bản Mây"], HEAD, ROW]) == "MISSING_HEADER"


@pytest.mark.parametrize("lost", [None, "###", "Txn thxn", "x"])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_lost_header_makes_no_list_into_one_village(lost: str | None, rows: int) -> None:
    """Law 7: the names below it are another village's."""
    data = [[n, name, 10 + n, 50] for n, name in enumerate(("Bản Mây", "Pác Đào", "Nà Thông")[:rows], 1)]
    assert refused(**{"Thôn Nà Lụa": [["STT", lost, "Số hộ", "Số khẩu"], *data]}) == "MISSING_HEADER"


def test_more_rows_than_one_are_refused() -> None:
    assert refused(**{"Thôn Nà Lụa": [HEAD, ROW, [2, 5, 20]]}) == "MISSING_HEADER"


def test_a_column_of_other_texts_is_believed_where_two_sheets_have_it() -> None:
    head, row = [*HEAD, "Trưởng thôn"], [*ROW, "Lò Văn A"]
    assert refused(**{"Thôn Nà Lụa": [head, row]}) == "MISSING_HEADER"
    found = read(**{"Thôn Nà Lụa": [head, row], "Thôn Bản Mây": [head, row]})
    assert found.rows["village_name"].to_list() == ["Thôn Nà Lụa", "Thôn Bản Mây"]


def test_a_header_of_its_own_comes_first() -> None:
    found = read(**{"Thôn Nà Lụa": [["Tên thôn", "Số hộ", "Số khẩu"], ["Bản Mây", 10, 50], ["Pác Đào", 11, 40]]})
    assert found.rows["village_name"].to_list() == ["Bản Mây", "Pác Đào"] and found.layouts[0].given == {}
