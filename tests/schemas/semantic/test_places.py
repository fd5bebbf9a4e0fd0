"""Paths of names, and entries of a list of units."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic import clean
from tests.schemas.semantic.helpers import context

UNIT = Column(
    "unit_key", "Khóa", "string", "place_path", required=True,
    options={"sameAs": "unit", "province": "province", "district": "district"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "district", "province", "absent", "path", "issue"),
    [
        ("Phường Vĩnh Hải", "Thành phố Nha Trang", "Tỉnh Khánh Hoà", False,
         "tỉnh khánh hoà/thành phố nha trang/phường vĩnh hải", None),
        (" PHƯỜNG  Vĩnh Hải", "Thành phố Nha Trang", "tỉnh Khánh Hòa", False,
         "tỉnh khánh hoà/thành phố nha trang/phường vĩnh hải", None),
        ("Xã Mĩ Sơn", None, "Tỉnh Khánh Hòa", False, "tỉnh khánh hoà//xã mĩ sơn", None),
        ("Xã Mỹ Sơn", None, "Tỉnh Khánh Hòa", False, "tỉnh khánh hoà//xã mĩ sơn", None),
        ("Xã A/B", None, "Tỉnh C", False, "tỉnh c//xã a b", None),
        ("", None, "Tỉnh Khánh Hòa", True, "tỉnh khánh hoà", None),
        ("", "Thành phố Nha Trang", "Tỉnh Khánh Hòa", True, "tỉnh khánh hoà/thành phố nha trang", None),
        ("", None, "Tỉnh Khánh Hòa", False, None, "MISSING"),
        ("=1+1", None, "Tỉnh Khánh Hòa", False, None, "FORMULA_TEXT"),
        ("", None, None, True, None, "MISSING"),
    ],
)  # fmt: skip
def test_a_path(
    unit: str, district: str | None, province: str | None, absent: bool, path: str | None, issue: str | None
) -> None:
    beside = {"province": pl.Series([province], dtype=pl.String), "district": pl.Series([district], dtype=pl.String)}
    about = replace(context(1), siblings=beside, absent=pl.Series([absent]))
    kind = Kind.TEXT if unit else Kind.BLANK
    got = clean(UNIT, pl.Series([unit]), pl.Series([kind], dtype=pl.UInt8), about)
    assert (got.value[0], got.issue[0]) == (path, issue)


def test_a_partial_path_names_the_area() -> None:
    column = replace(UNIT, options={**UNIT.options, "partial": True})
    beside = {"province": pl.Series(["Tỉnh Quảng Ngãi"]), "district": pl.Series(["Huyện Lý Sơn"])}
    got = clean(column, pl.Series([""]), pl.Series([0], dtype=pl.UInt8), replace(context(1), siblings=beside))
    assert (got.value[0], got.issue[0]) == ("tỉnh quảng ngãi/huyện lí sơn", None)


def test_an_entry_of_a_list_asks_for_code_name_and_day() -> None:
    asked: list[pl.DataFrame] = []

    def listed(frame: pl.DataFrame) -> pl.DataFrame:
        asked.append(frame)
        return pl.DataFrame({"issue": ["ENDED_UNIT", None], "detail": ["01/07/2025", None]})

    column = Column("code", "Mã", "string", "listed_unit", options={"unitName": "name", "width": 5})
    names = pl.Series(["Xã Cũ", "Xã Mới", None])
    about = replace(context(3), siblings={"name": names}, listed_unit=listed)
    got = clean(column, pl.Series(["22330", "366", "22333"]), pl.Series([1, 2, 1], dtype=pl.UInt8), about)
    assert asked[0].rows() == [("22330", "Xã Cũ", date(2026, 6, 30)), ("00366", "Xã Mới", date(2026, 6, 30))]
    assert got.value.to_list() == [None, "00366", "22333"]
    assert got.issue.to_list() == ["ENDED_UNIT", None, None]
    assert got.repair.to_list() == [None, "LEADING_ZERO", None]
    assert got.detail is not None and got.detail.to_list() == ["01/07/2025", None, None]
