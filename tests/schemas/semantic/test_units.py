"""Units in headers, titles and cells; the style of numbers that a whole column settles; lists with several facts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import EnumValue
from schemas.grid import Kind
from tests.schemas.semantic.helpers import cleaned, column, context, one


def under(of: Any, stated: str | None, text: str, kind: int = Kind.TEXT) -> tuple[Any, str | None, str | None]:
    got = cleaned(of, [text], kind, replace(context(1), unit=pl.Series([stated], dtype=pl.String)))
    return got.value[0], got.issue[0], got.repair[0]


PEOPLE, MONEY, AREA = column("integer", unit="người"), column("money"), column("decimal", unit="km²")


@pytest.mark.parametrize(
    ("of", "stated", "text", "value", "issue", "repair"),
    [
        (PEOPLE, "nghìn người", "12,5", 12_500, None, "UNIT_SCALED"),
        (PEOPLE, "nghìn người", "12", 12_000, None, "UNIT_SCALED"),
        (PEOPLE, "1.000 người", "12", 12_000, None, "UNIT_SCALED"),
        (PEOPLE, "nghìn", "12", 12_000, None, "UNIT_SCALED"),
        (PEOPLE, "nghìn người", "1.234", None, "AMBIGUOUS_NUMBER", None),  # people, or thousands of thousands
        (PEOPLE, "nghìn người", "12,3456", None, "NOT_WHOLE", None),
        (PEOPLE, "nghìn người", "5 triệu người", None, "UNIT_DIFFERS", None),
        (PEOPLE, "nghìn người", "5 nghìn người", 5_000, None, "MULTIPLIER"),
        (PEOPLE, "nghìn người", "5 người", None, "UNIT_DIFFERS", None),
        (PEOPLE, "người", "12", 12, None, None),
        (PEOPLE, "Người", "1.234", 1234, None, "THOUSANDS"),
        (PEOPLE, "khẩu", "12", 12, None, None),
        (PEOPLE, "hộ", "12", None, "UNIT_DIFFERS", None),
        (PEOPLE, "thùng", "12", None, "UNIT_DIFFERS", None),
        (PEOPLE, "hộ", "", None, None, None),
        (PEOPLE, None, "1,5 nghìn người", 1_500, None, "MULTIPLIER"),
        (PEOPLE, None, "12 nghìn hộ", None, "NOT_A_NUMBER", None),
        (MONEY, "triệu đồng", "1,5", 1_500_000, None, "UNIT_SCALED"),
        (MONEY, "triệu đồng", "1,5 triệu đồng", 1_500_000, None, "MULTIPLIER"),
        (MONEY, "triệu đồng", "1.500 nghìn", None, "UNIT_DIFFERS", None),
        (MONEY, "triệu đồng", "1.500.000 đồng", None, "UNIT_DIFFERS", None),
        (MONEY, "nghìn tỷ đồng", "2", 2 * 10**12, None, "UNIT_SCALED"),
        (MONEY, "VNĐ", "5", 5, None, None),
        (MONEY, "USD", "5", None, "UNIT_DIFFERS", None),
        (AREA, "nghìn km2", "8,55586", Decimal("8555.86"), None, "UNIT_SCALED"),
        (AREA, "ha", "8", None, "UNIT_DIFFERS", None),
        (column("percent"), "%", "66,49", Decimal("66.49"), None, None),
    ],
)
def test_a_stated_unit(
    of: Any, stated: str | None, text: str, value: Any, issue: str | None, repair: str | None
) -> None:
    assert under(of, stated, text) == (value, issue, repair)


@given(st.integers(0, 10**6), st.sampled_from([("nghìn", 3), ("triệu", 6), ("tỷ", 9), ("nghìn tỷ", 12)]))
def test_scaling_is_exact(number: int, unit: tuple[str, int]) -> None:
    shown = f"{Decimal(number).scaleb(-3)}".replace(".", ",")
    got = under(column("money", maximum=10**18), f"{unit[0]} đồng", shown)
    assert got[0] == number * 10 ** (unit[1] - 3) or got[1] == "AMBIGUOUS_NUMBER"
    cell = under(column("money", maximum=10**18), f"{unit[0]} đồng", str(Decimal(number).scaleb(-3)), Kind.NUMBER)
    assert cell[0] == number * 10 ** (unit[1] - 3)


def test_sheets_in_several_units() -> None:
    units = pl.Series(["nghìn người", None, "hộ", "nghìn người"])
    got = cleaned(PEOPLE, ["1", "2", "3", "x"], Kind.TEXT, replace(context(4), unit=units))
    assert got.value.to_list() == [1000, 2, None, None]
    assert got.issue.to_list() == [None, None, "UNIT_DIFFERS", "NOT_A_NUMBER"]


@pytest.mark.parametrize(
    ("semantic_type", "others", "text", "value"),
    [
        ("decimal", ["12,5", "3"], "1.234", Decimal(1234)),
        ("decimal", ["8.555,86"], "1.234", Decimal(1234)),
        ("decimal", ["12.5"], "1.234", Decimal("1.23")),
        ("decimal", ["12.5", "12,5"], "1.234", None),
        ("decimal", ["12", "1.234"], "1.234", None),
        ("decimal", [], "1.234", None),
        ("integer", ["1,234,567"], "1,234", 1234),
        ("integer", ["1.234.567"], "1,234", None),
        ("integer", ["1,234,567", "2.345.678"], "1,234", None),
    ],
)
def test_the_rest_of_the_column_settles_how_numbers_are_written(
    semantic_type: str, others: list[str], text: str, value: Any
) -> None:
    of, texts = column(semantic_type), [text, *others, "12,5", "12.5"]
    subs = pl.Series([1] * (1 + len(others)) + [2, 2], dtype=pl.Int64)  # another submission has no say
    got = cleaned(of, texts, Kind.TEXT, replace(context(len(texts)), submission=subs))
    assert got.value[0] == value
    assert (got.issue[0], got.repair[0]) == (
        (None, "NUMBER_STYLE") if value is not None else ("AMBIGUOUS_NUMBER", None)
    )
    assert one(of, text)[1] == "AMBIGUOUS_NUMBER"


def test_a_number_with_a_note_is_proposed_and_not_taken() -> None:
    got = cleaned(column("integer"), ["≈120", "15 (2 nữ)", "5/7", "khoảng 1.200"])
    assert got.value.to_list() == [None] * 4
    assert got.issue.to_list() == ["NOTED_NUMBER", "NOTED_NUMBER", "NOT_A_NUMBER", "NOTED_NUMBER"]
    assert got.detail is not None and got.detail.to_list() == ["120", "15", None, "1.200"]


def test_words_for_not_applicable() -> None:
    assert one(column("integer", allowNotApplicable=True), "Không phát sinh") == (None, None, "NOT_APPLICABLE")
    assert one(column("integer"), "Không phát sinh")[1] == "NOT_A_NUMBER"
    assert one(column("integer", allowNotApplicable=True), "0")[0] == 0


POSTS = (
    EnumValue("CT_UBND", "Chủ tịch UBND"), EnumValue("PCT_UBND", "Phó Chủ tịch UBND"), EnumValue("CT_HDND", "Chủ tịch HĐND"),
)  # fmt: skip
DEGREES = (
    EnumValue("TS", "Tiến sĩ"), EnumValue("ThS", "Thạc sĩ"), EnumValue("DH", "Đại học", ("ĐH",)), EnumValue("TC", "Trung cấp"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("PCT UBND", "PCT_UBND", None, "CODE_LIST"),
        ("CT. Ủy ban nhân dân", "CT_UBND", None, "CODE_LIST"),
        ("CT HĐND", "CT_HDND", None, "CODE_LIST"),
        ("Chủ tịch Hội Nông dân", None, "NOT_IN_LIST", None),
        ("Quyền Chủ tịch UBND", "CT_UBND", None, "ACTING"),
        ("Q. Chủ tịch UBND", "CT_UBND", None, "ACTING"),
        ("Chủ tịch HĐND kiêm Chủ tịch UBND", None, "TWO_FACTS", None),
    ],
)
def test_posts(text: str, value: str | None, issue: str | None, repair: str | None) -> None:
    assert one(column("category", enum=POSTS, acting=True, abbreviations=True), text) == (value, issue, repair)


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("Chủ tịch UBND xã Cam Lâm", "CT_UBND", None, "NAME_BEHIND"),
        ("Chủ tịch HĐND – Phường Nha Trang", "CT_HDND", None, "NAME_BEHIND"),
        ("PCT UBND đặc khu Trường Sa", "PCT_UBND", None, "NAME_BEHIND"),
        ("Q. Chủ tịch UBND xã", "CT_UBND", None, "ACTING"),
        ("Chủ tịch UBND Nha Trang", None, "NOT_IN_LIST", None),
        ("Chủ tịch UBND xã, Chủ tịch HĐND", None, "NOT_IN_LIST", None),
        ("Chủ tịch UBND xã (nghỉ hưu)", None, "NOT_IN_LIST", None),
        ("Chủ tịch UBND xã Chủ tịch HĐND", None, "NOT_IN_LIST", None),
        ("Chủ tịch UBND xã kiêm Chủ tịch HĐND xã", None, "TWO_FACTS", None),
        ("ct ubnd", "CT_UBND", None, "CODE_LIST"),
        ("ct_ubnd", "CT_UBND", None, "CODE_LIST"),
    ],
)
def test_posts_with_the_name_of_a_place_behind(
    text: str, value: str | None, issue: str | None, repair: str | None
) -> None:
    post = column(
        "category", enum=POSTS, acting=True, abbreviations=True, followedBy=["xã", "phường", "đặc khu", "HĐND"]
    )
    assert one(post, text) == (value, issue, repair)


def test_a_code_of_several_words_is_no_spelling() -> None:
    posts = column("category", enum=(EnumValue("BI_THU", "Bí thư Đảng ủy"),), abbreviations=True)
    assert [one(posts, t)[0] for t in ("BI_THU", "bi_thu", "BT Đảng ủy")] == ["BI_THU"] * 3
    assert [one(posts, t)[1] for t in ("Bí thư", "BT", "bi thu")] == ["NOT_IN_LIST"] * 3


FIELDS = (EnumValue("LUAT", "Luật"), EnumValue("KE_TOAN", "Kế toán"), EnumValue("NN", "Kinh tế nông nghiệp"),
          EnumValue("KT", "Kinh tế"), EnumValue("KHAC", "Khác"))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("Cử nhân Luật", "LUAT", None, "KEYWORD"),
        ("kinh tế nông nghiệp (liên thông)", "NN", None, "KEYWORD"),  # the longer spelling, not 'kinh tế' in it
        ("Luật và Kế toán", None, "NOT_IN_LIST", None),
        ("Quản trị khách sạn", "KHAC", None, "OTHERWISE"),
        ("Luậtt", "KHAC", None, "OTHERWISE"),
        ("chưa có", None, None, None),
        ("đang cập nhật", None, "NOT_IN_LIST", None),
        ("-", None, None, None),
        ("n/a", None, None, None),
    ],
)
def test_keywords(text: str, value: str | None, issue: str | None, repair: str | None) -> None:
    field = column("category", enum=FIELDS, keywords=True, otherwise="KHAC")
    assert one(field, text) == (value, issue, repair)
    strict = one(column("category", enum=FIELDS, keywords=True), text)
    assert strict == ((None, "NOT_IN_LIST", None) if repair == "OTHERWISE" else (value, issue, repair))
    assert one(column("category", enum=FIELDS, keywords=True, required=True), "chưa có")[1] == "NOT_IN_LIST"


def test_the_highest_degree_of_several() -> None:
    highest = column("category", enum=DEGREES, highest=True)
    assert one(highest, "ĐH/ThS") == ("ThS", None, "HIGHEST")
    assert one(highest, "Trung cấp, Đại học") == ("DH", None, "HIGHEST")
    assert one(highest, "ĐH/nghề")[1] == "NOT_IN_LIST"
    assert one(column("category", enum=DEGREES), "ĐH/ThS")[1] == "NOT_IN_LIST"
