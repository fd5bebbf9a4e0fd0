"""Personal IDs, tax codes, telephones, agency codes and names of persons: one line per cell with its one right answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import CODES
from schemas.grid import Kind
from schemas.semantic import clean, cleaning_order
from schemas.semantic.identifiers import OLD_PROVINCES
from tests.schemas.semantic.helpers import cleaned, column, context, one

TEXT, NUMBER = Kind.TEXT, Kind.NUMBER


def checked(text: str, sex: str | None, born: Any, kind: int = TEXT) -> tuple[Any, str | None, str | None]:
    """A personal ID beside the sex and the birth of its row."""
    of = column("citizen_id", sex="gender", birthDate="born")
    dtype = pl.Int64 if isinstance(born, int) else pl.Date
    siblings = {"gender": pl.Series([sex], dtype=pl.String), "born": pl.Series([born], dtype=dtype)}
    got = clean(of, pl.Series([text]), pl.Series([kind], dtype=pl.UInt8), replace(context(1), siblings=siblings))
    return got.value[0], got.issue[0], got.repair[0]


@pytest.mark.parametrize(
    ("text", "sex", "born", "value", "issue", "repair"),
    [
        ("056085001234", "NAM", 1985, "056085001234", None, None),
        ("056085001234", "NAM", date(1985, 2, 1), "056085001234", None, None),
        ("056085001234", "NU", 1985, None, "ID_MISMATCH", None),
        ("056085001234", "NAM", 1986, None, "ID_MISMATCH", None),
        ("056085001234", "NAM", 2085, None, "ID_MISMATCH", None),
        ("056085001234", None, None, "056085001234", None, None),  # nothing to check against is no contradiction
        ("056085001234", "NU", None, None, "ID_MISMATCH", None),
        ("058190004321", "NU", 1990, "058190004321", None, None),  # the former Ninh Thuận is not abroad
        ("124190004321", "NU", 1990, "124190004321", None, None),
        ("056301001234", "NU", 2001, "056301001234", None, None),
        ("056485001234", "NAM", None, None, "BAD_CITIZEN_ID", None),  # born in 2185
        ("000085001234", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
        ("56085001234", "NAM", 1985, "056085001234", None, "LEADING_ZERO"),
        ("56085001234.0", "NAM", 1985, "056085001234", None, "LEADING_ZERO"),
        ("56085001234", "NU", 1985, None, "BAD_CITIZEN_ID", None),
        ("56085001234", "NAM", None, None, "BAD_CITIZEN_ID", None),
        ("56085001234", None, 1985, None, "BAD_CITIZEN_ID", None),
        ("05608500123", "NAM", 1985, None, "BAD_CITIZEN_ID", None),  # has its zero: another digit is lost
        ("1085001234", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
        ("0560850012345", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
        ("5.6085E+10", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
        ("225123456", "NAM", 1985, None, "OLD_ID_CARD", None),
        ("225 123 456", "NAM", 1985, None, "OLD_ID_CARD", None),
        ("056.085.001234", "NAM", 1985, "056085001234", None, "SEPARATORS"),
        ("056 085 001 234", "NAM", 1985, "056085001234", None, "SEPARATORS"),
        ("056 0 85 001234", "NAM", 1985, "056085001234", None, "SEPARATORS"),
        ("05608500123.4", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
        ("O56085001234", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
        ("٠٥٦٠٨٥٠٠١٢٣٤", "NAM", 1985, None, "BAD_CITIZEN_ID", None),
    ],
)
def test_personal_ids(text: str, sex: str | None, born: Any, value: Any, issue: str | None, repair: str | None) -> None:
    assert checked(text, sex, born) == (value, issue, repair)
    if text.isascii() and text.isdigit():
        assert checked(text, sex, born, NUMBER) == (value, issue, repair)


def test_the_old_provinces_are_63() -> None:
    assert len(OLD_PROVINCES) == 63 and {"56", "58"} <= OLD_PROVINCES


def test_a_column_that_reads_others_is_cleaned_after_them() -> None:
    key, born, sex = column("citizen_id", birthDate="x"), column("date"), column("category")
    assert cleaning_order([key, born, sex]) == [born, sex, key]


def test_nothing_that_is_said_of_personal_numbers_quotes_them() -> None:
    for code in ("BAD_CITIZEN_ID", "OLD_ID_CARD", "ID_MISMATCH", "BAD_TAX_CODE", "BAD_PHONE"):
        assert "{value}" not in CODES[code].message + CODES[code].remedy


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("0100047516", "0100047516", None, None),
        ("0100047517", None, "BAD_TAX_CODE", None),
        ("0100047516-001", "0100047516-001", None, None),
        ("0100047516 - 001", "0100047516-001", None, "SEPARATORS"),
        ("0100047516001", "0100047516-001", None, "SEPARATORS"),
        ("0100047516-000", None, "BAD_TAX_CODE", None),
        ("01.00.047.516", "0100047516", None, "SEPARATORS"),
        (
            "100047516",
            None,
            "BAD_TAX_CODE",
            None,
        ),  # a check digit fits one wrong code in eleven: no proof of a lost zero
        ("100047517", None, "BAD_TAX_CODE", None),
        ("0100047516.0", "0100047516", None, "DECIMAL_ZERO"),
        ("100047516001", None, "BAD_TAX_CODE", None),
        ("056085001234", None, "BAD_TAX_CODE", None),
        ("1.00047516E+8", None, "BAD_TAX_CODE", None),
    ],
)
def test_tax_codes(text: str, value: str | None, issue: str | None, repair: str | None) -> None:
    assert one(column("tax_code"), text) == (value, issue, repair)


def test_a_personal_id_is_a_tax_code_where_the_contract_says_so() -> None:
    assert one(column("tax_code", allowCitizenId=True), "056085001234")[0] == "056085001234"


@pytest.mark.parametrize(
    ("text", "value", "repair"),
    [
        ("0905123456", "+84905123456", None),
        ("0905.123.456", "+84905123456", None),
        ("+84 905 123 456", "+84905123456", None),
        ("+84 (0)905 123 456", "+84905123456", None),
        ("84905123456", "+84905123456", None),
        ("0084905123456", "+84905123456", None),
        ("905123456", "+84905123456", "LEADING_ZERO"),
        ("905123456.0", "+84905123456", "LEADING_ZERO"),
        ("01681234567", "+84381234567", "OLD_PREFIX"),
        ("1681234567", "+84381234567", "OLD_PREFIX"),
        ("0120 123 4567", "+84701234567", "OLD_PREFIX"),
        ("01231234567", "+84831234567", "OLD_PREFIX"),
        ("01861234567", "+84561234567", "OLD_PREFIX"),
        ("01991234567", "+84591234567", "OLD_PREFIX"),
        ("0258.3822.222", "+842583822222", None),
        ("(0259) 3822 222", "+842593822222", None),
        ("2583822222", "+842583822222", "LEADING_ZERO"),
        ("1900 1234", "+8419001234", None),
        ("+1 650 253 0000", "+16502530000", None),
        *[(bad, None, None) for bad in (
            "0905123456/0258", "0905123456, 0905123457", "258382222.5", "090512345", "09051234567", "113", "09O5123456",
            "3822222", "0521234567", "01.02.1985", "9.05E+08", "+", "0", "0905123456 (Lan)", "+1 555", "０９０５１２３４５６",
        )],
    ],
)  # fmt: skip
def test_telephones(text: str, value: str | None, repair: str | None) -> None:
    assert one(column("phone"), text) == (value, None if value else "BAD_PHONE", repair)
    if text.isdigit() and text.isascii():
        assert one(column("phone"), text, NUMBER) == (value, None if value else "BAD_PHONE", repair)


@pytest.mark.parametrize(
    ("text", "value", "repair"),
    [
        ("000.00.00.H49", "H49", "TOP_DOWN"),
        ("000.00.15.H32", "H32.15", "TOP_DOWN"),
        ("001.05.15.h32", "H32.15.05.001", "TOP_DOWN"),
        ("H32.15", "H32.15", None),
        ("h32. 15 .05", "H32.15.05", "SEPARATORS"),
        ("H32.15.00.000", "H32.15", "SEPARATORS"),
        ("000.05.00.H32", None, None),  # a body below a level that is not there
        ("H32.00.05", None, None),
        ("H3", None, None),
        ("H32." + "15." * 11 + "15", None, None),
        ("00.00.15.H32", None, None),
    ],
)
def test_agency_codes(text: str, value: str | None, repair: str | None) -> None:
    assert one(column("agency_id"), text) == (value, None if value else "BAD_AGENCY_ID", repair)


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("Nông Văn Tý Lụa", "Nông Văn Tý Lụa", None, None),
        ("nông văn tý", "nông văn tý", None, None),
        ("NÔNG VĂN TÝ", "Nông Văn Tý", None, "CAPITALS"),
        ("H'HEN NIÊ", "H'Hen Niê", None, "CAPITALS"),
        ("Y MOAN ÊNUÔL", "Y Moan Ênuôl", None, "CAPITALS"),
        ("KA THÁI", "Ka Thái", None, "CAPITALS"),
        ("Ka Thái", "Ka Thái", None, None),
        ("Y Moan", "Y Moan", None, None),
        ("LÝ THỊ ĐÀO-MÂY", "Lý Thị Đào-Mây", None, "CAPITALS"),
        ("NGUYỄN T. LAN", "Nguyễn T. Lan", None, "CAPITALS"),
        ("Nguyễn T. Lan", "Nguyễn T. Lan", None, None),
        ("Ông Nguyễn Văn Tý", "Nguyễn Văn Tý", None, "TITLE"),
        ("Bà: Hoàng Thị Mây", "Hoàng Thị Mây", None, "TITLE"),
        ("Đ/c Lý Đào", "Lý Đào", None, "TITLE"),
        ("Đồng chí Lý Đào", "Lý Đào", None, "TITLE"),
        ("PGS.TS. Vi Văn Khau", "Vi Văn Khau", None, "TITLE"),
        ("ÔNG NGUYỄN VĂN TÝ", "Nguyễn Văn Tý", None, "TITLE"),
        ("Hoàng Thị Mây (nữ)", "Hoàng Thị Mây", None, "TITLE"),
        ("Hoàng Thị Mây (*)", "Hoàng Thị Mây", None, "TITLE"),
        ("Hoàng Thị Mây **", "Hoàng Thị Mây", None, "TITLE"),
        ("Ông Cao Thắng", None, "AMBIGUOUS_NAME", None),
        ("Ông Ích Khiêm", None, "AMBIGUOUS_NAME", None),
        ("Ông Văn Hữu Tài", None, "AMBIGUOUS_NAME", None),
        ("Ông Thị Thanh Hương", None, "AMBIGUOUS_NAME", None),
        ("Bàng Bá Lân", "Bàng Bá Lân", None, None),
        ("Đỗ Cường", "Đỗ Cường", None, None),
        ("Hoàng Thị Mây 01/02/1985", None, "TWO_FACTS", None),
        ("=A1", None, "FORMULA_TEXT", None),
        ("Ông +84 905", None, "AMBIGUOUS_NAME", None),
        ("NULL", "Null", None, "CAPITALS"),
        ("Nguy?n", None, "UNREADABLE_TEXT", None),
        ("*", None, "UNREADABLE_TEXT", None),
    ],
)
def test_names_of_persons(text: str, value: str | None, issue: str | None, repair: str | None) -> None:
    assert one(column("person_name"), text) == (value, issue, repair)


BLANKS = st.sampled_from(["", None, " ", "\u00a0", "-", "–", "…"])


@given(st.lists(BLANKS | st.sampled_from(["THON|MIEN_NUI", "<10", ">=15", "XS"]), min_size=1, max_size=20))
def test_an_empty_cell_of_a_code_that_may_be_empty_is_a_value(texts: list[str | None]) -> None:
    got = cleaned(replace(column("code", blank=""), required=True), texts)
    assert got.issue.null_count() == len(texts)
    assert got.value.to_list() == [t if t and t.strip(" \u00a0-–…") else "" for t in texts]


@given(st.lists(st.none() | st.integers(2000, 2050), min_size=1, max_size=20))
def test_a_year_is_that_of_the_period_or_no_year(years: list[int | None]) -> None:
    of = replace(column("integer"), default_from="asOf")
    got = cleaned(of, [None if y is None else str(y) for y in years], Kind.NUMBER)
    assert got.issue.to_list() == [None if y in (None, 2026) else "OTHER_YEAR" for y in years]
    assert got.value.to_list() == [y if y == 2026 else None for y in years]
