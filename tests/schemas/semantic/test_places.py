"""Paths of names, and entries of a list of units."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic import clean
from schemas.text import clean_one, place_key_one
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


NAMES = st.sampled_from(
    ["Phường Vĩnh Hải", "Xã Mỹ Sơn", "xã Ninh Hoà", "Thị trấn Diên Khánh", "Đặc khu Trường Sa", "Xã Đ'ran", "Phường 01"]
)
WAYS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda t: unicodedata.normalize("NFD", t),
    lambda t: "  " + t.replace(" ", "\u00a0 ") + "\u200b",
    lambda t: t.replace("oà", "òa").replace("Mỹ", "Mĩ").replace("Đ", "Ð"),
]


@given(NAMES, NAMES, st.sampled_from(WAYS), st.sampled_from(WAYS))
def test_a_path_is_the_same_however_its_names_are_written(
    unit: str, district: str, way: Callable[[str], str], other: Callable[[str], str]
) -> None:
    column = replace(UNIT, options={"sameAs": "unit", "district": "district"})

    def path(name: str, area: str) -> tuple[str | None, str | None]:
        about = replace(context(1), siblings={"district": pl.Series([area])})
        got = clean(column, pl.Series([name]), pl.Series([1], dtype=pl.UInt8), about)
        return got.value[0], got.issue[0]

    # what another column says has been cleaned before
    assert path(way(unit), clean_one(other(district))) == path(unit, district)
    assert path(unit, district) == (f"{place_key_one(district)}/{place_key_one(unit)}", None)


@given(st.integers(1, 99_999), st.sampled_from([0, 1, 2, 3, 4]))
def test_an_entry_s_code_comes_back_however_it_is_written(number: int, way: int) -> None:
    code = f"{number:05}"
    text, kind = [(code, 1), (str(number), 2), (str(number), 1), (f"{number}.0", 1), (f" {code}\u00a0", 1)][way]
    column = Column("code", "Mã", "string", "listed_unit", options={"width": 5})
    got = clean(column, pl.Series([text]), pl.Series([kind], dtype=pl.UInt8), context(1))
    assert (got.value[0], got.issue[0]) == (code, None)
