"""Units in headers and titles: which are units, and of which columns they speak."""

from __future__ import annotations

import pytest

from assets.intake.units import units_of
from schemas.contract import Column, Contract

from .test_headers import column, contract


def figure(name: str, unit: str | None = None, kind: str = "integer") -> Column:
    made = column(name, name, kind="number" if kind == "percent" else "integer", unit=unit)
    return Column(**{**vars(made), "semantic_type": kind})


WORKS: Contract = contract(
    "works", column("name", "Tên"), figure("homes", "hộ"), figure("people", "người"), figure("cost", None, "money"),
    figure("share", None, "percent"), figure("score"),
)  # fmt: skip
LETTERS = {"name": "A", "homes": "B", "people": "C", "cost": "D", "share": "E", "score": "F"}


def stated(*lines: str, **headers: list[str]) -> dict[str, str]:
    columns = {n: x for n, x in LETTERS.items() if n != "name"}
    return units_of(WORKS, columns, headers, lines)


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        (["Số hộ (nghìn hộ)"], "nghìn hộ"),
        (["Số hộ [hộ]"], "hộ"),
        (["Số hộ (ĐVT: hộ)"], "hộ"),
        (["Số hộ (1.000)"], "1.000"),
        (["Quy mô (người)", "Số hộ (hộ)"], "hộ"),
        (["Quy mô (nghìn hộ)", "Số hộ"], "nghìn hộ"),
        (["Số hộ", "(hộ)"], "hộ"),
        (["Số hộ (hộ) (1)"], "hộ"),
        (["Số hộ (1)"], None),
        (["Số hộ (nghèo)"], None),
        (["Số hộ (2024)"], None),
        (["Số hộ (năm)"], None),
        (["Số hộ"], None),
        (["Số hộ (hộ) (nghìn hộ)"], "hộ / nghìn hộ"),
    ],
)
def test_brackets_of_a_header(header: list[str], unit: str | None) -> None:
    assert stated(B=header).get("homes") == unit


@pytest.mark.parametrize(
    ("line", "units"),
    [
        ("ĐVT: triệu đồng", {"cost": "triệu đồng"}),
        ("(Đơn vị tính: 1.000 đồng)", {"cost": "1.000 đồng"}),
        ("Đơn vị tính: Nghìn người", {"people": "Nghìn người"}),
        ("Dân số chia theo xã (ĐVT: Người)", {"people": "Người"}),
        ("Biểu 2 - ĐVT: tỷ đồng", {"cost": "tỷ đồng"}),
        ("DVT: trieu dong", {"cost": "trieu dong"}),
        ("ĐVT: hộ, nghìn người", {"homes": "hộ", "people": "nghìn người"}),
        ("Đơn vị: người và triệu đồng", {"people": "người", "cost": "triệu đồng"}),
        ("ĐVT: đồng; triệu đồng", {"cost": "triệu đồng / đồng"}),
        ("ĐVT: %", {"share": "%"}),
        ("ĐVT: nghìn", {"homes": "nghìn", "people": "nghìn", "cost": "nghìn"}),
        ("ĐVT: con", {"homes": "con", "people": "con", "cost": "con", "score": "con"}),
        ("Đơn vị: UBND xã Ninh Hải", {}),
        ("Đơn vị: Hộ sản xuất", {}),
        ("Đơn vị tính", {}),
        ("Đơn vị báo cáo: Thôn 2", {}),
        ("ĐVT:", {}),
    ],
)
def test_a_line_above_the_table(line: str, units: dict[str, str]) -> None:
    assert stated(line) == units


def test_brackets_win_over_a_line() -> None:
    assert stated("ĐVT: triệu đồng", D=["Kinh phí (tỷ đồng)"]) == {"cost": "tỷ đồng"}
    assert stated("ĐVT: nghìn hộ", B=["Số hộ (hộ)"], C=["Số khẩu"]) == {"homes": "hộ"}


def test_a_line_in_another_unit_is_not_dropped() -> None:
    """Cleaning then says that it is another: figures of households are not taken for people."""
    only = {"people": "C"}
    assert units_of(WORKS, only, {}, ["ĐVT: hộ"]) == {"people": "hộ"}
