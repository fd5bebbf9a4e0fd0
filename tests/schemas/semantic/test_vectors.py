"""Cells as they are met in real files: one line per cell, with the one right answer (domain brief §6, given cases)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from schemas.codes import CODES
from schemas.contract import EnumValue
from schemas.grid import Kind
from schemas.semantic import SEMANTIC_TYPES, Context, clean, key_form, option_problems, sql_type
from tests.schemas.semantic.helpers import cleaned, column, context, one

NUMBER, DATE, BOOLEAN = Kind.NUMBER, Kind.DATE, Kind.BOOLEAN


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("1.234", 1234, None, "THOUSANDS"),
        ("1.935", 1935, None, "THOUSANDS"),
        ("2.243.554", 2243554, None, "THOUSANDS"),
        ("1,234,567", 1234567, None, "THOUSANDS"),
        ("1 234", 1234, None, "THOUSANDS"),
        ("1\u00a0234\u00a0567", 1234567, None, "THOUSANDS"),
        (" 98 ", 98, None, None),
        ("\u200b98", 98, None, None),
        ("870,0", 870, None, None),
        ("870.0", 870, None, None),
        ("1.234,0", 1234, None, "THOUSANDS"),
        ("0", 0, None, None),
        ("+5", 5, None, None),
        ("12 hộ", 12, None, "UNIT_WORD"),
        ("1.234 hộ", 1234, None, "UNIT_WORD"),
        ("12 người", None, "NOT_A_NUMBER", None),
        ("12,5", None, "NOT_WHOLE", None),
        ("0,123", None, "NOT_WHOLE", None),
        ("1,234", None, "AMBIGUOUS_NUMBER", None),
        ("chưa thống kê", None, "PENDING_VALUE", None),
        ("ĐANG CẬP NHẬT", None, "PENDING_VALUE", None),
        ("không có", None, "NOT_A_NUMBER", None),
        ("1O", None, "NOT_A_NUMBER", None),
        ("15 (2 nữ)", None, "NOTED_NUMBER", None),
        ("5/7", None, "NOT_A_NUMBER", None),
        ("≈120", None, "NOTED_NUMBER", None),
        ("1.2.3", None, "NOT_A_NUMBER", None),
        ("12 34", None, "NOT_A_NUMBER", None),
        ("5.6E+10", None, "NOT_A_NUMBER", None),
        ("１２", None, "NOT_A_NUMBER", None),
        ("I", None, "NOT_A_NUMBER", None),
        ("3000000000", None, "OUT_OF_RANGE", None),
        ("3.000.000.000", None, "OUT_OF_RANGE", None),
        ("9" * 40, None, "OUT_OF_RANGE", None),
        ("-5", None, "OUT_OF_RANGE", None),
        ("−5", None, "OUT_OF_RANGE", None),
        ("#REF!", None, "EXCEL_ERROR", None),
        ("12\x00", None, "CONTROL_CHARACTER", None),
        *[(mark, None, "MISSING", None) for mark in ("", " ", "\u200b", "-", "–", "--", "…", "...", "N/A", "null")],
    ],
)
def test_integer_texts(text: str, value: Any, issue: str | None, repair: str | None) -> None:
    assert one(column("integer", unit="hộ", required=True), text) == (value, issue, repair)


@pytest.mark.parametrize(
    ("text", "value", "issue"),
    [
        ("488", 488, None),
        ("00488", 488, None),
        ("488.5", None, "NOT_WHOLE"),
        ("1.234", None, "NOT_WHOLE"),  # a number cell has a decimal point: nothing to group
        ("1e+16", None, "OUT_OF_RANGE"),
        ("488.00000000000006", 488, None),  # beyond the 15 digits that Excel keeps
        ("nan", None, "NOT_A_NUMBER"),
        ("inf", None, "NOT_A_NUMBER"),
    ],
)
def test_integer_number_cells(text: str, value: Any, issue: str | None) -> None:
    assert one(column("integer"), text, NUMBER)[:2] == (value, issue)


def test_integer_other_kinds() -> None:
    assert one(column("integer"), "2026-03-01", DATE)[1] == "NOT_A_NUMBER"
    assert one(column("integer"), "true", BOOLEAN)[1] == "NOT_A_NUMBER"


def test_pending_is_a_blank_where_the_contract_allows_it() -> None:
    allowed = column("integer", required=True, allowPending=True)
    assert one(allowed, "chưa thống kê") == (None, None, "PENDING")


def test_limits_of_the_contract() -> None:
    assert one(column("integer", minimum=-10, maximum=10), "-5")[0] == -5
    assert one(column("integer", maximum=10), "11")[1] == "OUT_OF_RANGE"
    assert one(column("integer", exclusiveMinimum=0), "0")[1] == "OUT_OF_RANGE"
    assert one(column("decimal", exclusiveMaximum=0.5), "0,5")[1] == "OUT_OF_RANGE"


@pytest.mark.parametrize(
    ("text", "kind", "value", "issue", "repair"),
    [
        ("8.555,86", Kind.TEXT, "8555.86", None, "THOUSANDS"),
        ("8,555.86", Kind.TEXT, "8555.86", None, "THOUSANDS"),
        ("12,5", Kind.TEXT, "12.5", None, None),
        ("12.34", Kind.TEXT, "12.34", None, None),
        ("-3", Kind.TEXT, "-3", None, None),
        ("1.234", Kind.TEXT, None, "AMBIGUOUS_NUMBER", None),
        ("0.123", Kind.TEXT, "0.123", None, None),
        ("1,234", Kind.TEXT, "1.234", None, None),
        ("1234.567", Kind.TEXT, "1234.567", None, None),
        ("1,23456", Kind.TEXT, "1.235", None, "ROUNDED"),
        ("12,5 km²", Kind.TEXT, "12.5", None, "UNIT_WORD"),
        ("1.234", NUMBER, "1.234", None, None),
        ("0.30000000000000004", NUMBER, "0.3", None, None),
        ("1.0005", NUMBER, "1.001", None, "ROUNDED"),
        ("1e+30", NUMBER, None, "OUT_OF_RANGE", None),
        ("123456789012345678", Kind.TEXT, None, "OUT_OF_RANGE", None),
    ],
)
def test_decimal(text: str, kind: int, value: str | None, issue: str | None, repair: str | None) -> None:
    area = column("decimal", scale=3, unit="km²")
    assert one(area, text, kind) == (Decimal(value) if value else None, issue, repair)


def test_a_declared_decimal_mark_settles_the_doubt() -> None:
    assert one(column("decimal", scale=3, decimalMark="."), "1.234")[0] == Decimal("1.234")
    assert one(column("decimal", scale=3, decimalMark=","), "1.234")[0] == Decimal(1234)
    assert one(column("integer", decimalMark="."), "1.234")[1] == "NOT_WHOLE"


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        ("1,5 triệu đồng", 1_500_000, None, "MULTIPLIER"),
        ("2 tỷ", 2_000_000_000, None, "MULTIPLIER"),
        ("1,234 tỉ đồng", 1_234_000_000, None, "MULTIPLIER"),
        ("500 nghìn", 500_000, None, "MULTIPLIER"),
        ("1.500.000", 1_500_000, None, "THOUSANDS"),
        ("1.500.000đ", 1_500_000, None, "UNIT_WORD"),
        ("1.500.000 ₫", 1_500_000, None, "UNIT_WORD"),
        ("3000000000", 3_000_000_000, None, None),
        ("1.234 triệu", None, "AMBIGUOUS_NUMBER", None),
        ("0,0000001 triệu", None, "NOT_WHOLE", None),
        ("5 USD", None, "NOT_A_NUMBER", None),
        ("miễn phí", None, "NOT_A_NUMBER", None),
    ],
)
def test_money(text: str, value: Any, issue: str | None, repair: str | None) -> None:
    assert one(column("money"), text) == (value, issue, repair)


@pytest.mark.parametrize(
    ("text", "kind", "value", "issue"),
    [
        ("66,49%", Kind.TEXT, "66.49", None),
        ("12 %", Kind.TEXT, "12", None),
        ("0,5", Kind.TEXT, "0.5", None),
        ("66.49", NUMBER, "66.49", None),
        ("0", NUMBER, "0", None),
        ("0.6649", NUMBER, None, "AMBIGUOUS_PERCENT"),
        ("0.5", NUMBER, None, "AMBIGUOUS_PERCENT"),
        ("1", NUMBER, None, "AMBIGUOUS_PERCENT"),
        ("101", Kind.TEXT, None, "OUT_OF_RANGE"),
    ],
)
def test_percent(text: str, kind: int, value: str | None, issue: str | None) -> None:
    assert one(column("percent"), text, kind)[:2] == (Decimal(value) if value else None, issue)


@pytest.mark.parametrize(
    ("text", "kind", "value", "issue", "repair"),
    [
        ("1987-03-14", DATE, date(1987, 3, 14), None, None),
        ("05/03/1990", Kind.TEXT, date(1990, 3, 5), None, None),
        ("13/02/1988", Kind.TEXT, date(1988, 2, 13), None, None),
        ("1/2/1985", Kind.TEXT, date(1985, 2, 1), None, None),
        ("01.02.1985", Kind.TEXT, date(1985, 2, 1), None, None),
        ("01 / 02 / 1985", Kind.TEXT, date(1985, 2, 1), None, None),
        ("1985-02-01", Kind.TEXT, date(1985, 2, 1), None, None),
        ("ngày 01 tháng 02 năm 1985", Kind.TEXT, date(1985, 2, 1), None, None),
        ("Ngày 1 tháng 2 năm 1985".upper(), Kind.TEXT, date(1985, 2, 1), None, None),
        ("01.02.85", Kind.TEXT, date(1985, 2, 1), None, "TWO_DIGIT_YEAR"),
        ("12/5/68", Kind.TEXT, date(1968, 5, 12), None, "TWO_DIGIT_YEAR"),
        ("02/07/26", Kind.TEXT, date(2026, 7, 2), None, "TWO_DIGIT_YEAR"),
        ("03/07/26", Kind.TEXT, date(1926, 7, 3), None, "TWO_DIGIT_YEAR"),  # would be tomorrow
        ("32143", NUMBER, date(1988, 1, 1), None, "SERIAL"),
        ("31079", NUMBER, date(1985, 2, 1), None, "SERIAL"),
        ("2026-06-30T08:15:00", DATE, date(2026, 6, 30), None, "TIME_DROPPED"),
        ("2026-06-30 00:00:00", Kind.TEXT, date(2026, 6, 30), None, None),
        ("31/04/1990", Kind.TEXT, None, "BAD_DATE", None),
        ("31/02/1985", Kind.TEXT, None, "BAD_DATE", None),
        ("02/13/1985", Kind.TEXT, None, "BAD_DATE", None),
        ("29/02/1985", Kind.TEXT, None, "BAD_DATE", None),
        ("05/00/1985", Kind.TEXT, None, "BAD_DATE", None),
        ("32143", Kind.TEXT, None, "BAD_DATE", None),
        ("19850201", Kind.TEXT, None, "BAD_DATE", None),
        ("70000", NUMBER, None, "BAD_DATE", None),
        ("trước 1975", Kind.TEXT, None, "BAD_DATE", None),
        ("chưa rõ", Kind.TEXT, None, "PENDING_VALUE", None),
        ("1985", NUMBER, None, "DATE_NOT_PRECISE", None),
        ("1985", Kind.TEXT, None, "DATE_NOT_PRECISE", None),
        ("năm 1985", Kind.TEXT, None, "DATE_NOT_PRECISE", None),
        ("02/1985", Kind.TEXT, None, "DATE_NOT_PRECISE", None),
        ("00/00/1985", Kind.TEXT, None, "DATE_NOT_PRECISE", None),
        ("2062-05-12", DATE, None, "FUTURE_DATE", None),
        ("03/07/2026", Kind.TEXT, None, "FUTURE_DATE", None),
        ("14/03/0987", Kind.TEXT, None, "OUT_OF_RANGE", None),
        ("0000-01-01", Kind.TEXT, None, "OUT_OF_RANGE", None),
        ("01/01/0000", Kind.TEXT, None, "OUT_OF_RANGE", None),
    ],
)
def test_date(text: str, kind: int, value: date | None, issue: str | None, repair: str | None) -> None:
    assert one(column("date", notFuture=True), text, kind) == (value, issue, repair)


def test_dates_that_need_no_day() -> None:
    by_year, by_month = column("date", minPrecision="year"), column("date", minPrecision="month")
    assert one(by_year, "năm 1985") == (date(1985, 1, 1), None, "YEAR_ONLY")
    assert one(by_year, "00/00/1985") == (date(1985, 1, 1), None, "YEAR_ONLY")
    assert one(by_month, "tháng 02 năm 1985") == (date(1985, 2, 1), None, "MONTH_ONLY")
    assert one(by_month, "1985")[1] == "DATE_NOT_PRECISE"


def test_the_future_is_open_unless_the_contract_closes_it() -> None:
    assert one(column("date"), "30/09/2026")[0] == date(2026, 9, 30)
    assert one(column("date"), "30/09/26")[0] == date(2026, 9, 30)
    assert one(column("date"), "12/5/68")[0] == date(1968, 5, 12)


def test_without_a_day_of_receipt_nothing_is_future() -> None:
    unknown = Context(
        as_of=pl.Series([None], dtype=pl.Date), received_on=pl.Series([None], dtype=pl.Date),
        sender=pl.Series([None], dtype=pl.String), resolve_unit=None, today=None,
    )  # fmt: skip
    assert cleaned(column("date", notFuture=True), ["2062-05-12"], about=unknown).issue.to_list() == [None]
    assert cleaned(column("integer"), ["1.234"], about=unknown).value.to_list() == [1234]
    assert cleaned(column("date"), ["12/5/68"], about=unknown).issue.to_list() == ["BAD_DATE"]  # which century?


def test_an_inclusive_end_becomes_the_day_after() -> None:
    assert one(column("date", inclusiveEnd=True), "30/06/2026")[0] == date(2026, 7, 1)
    assert one(column("date", inclusiveEnd=True, minPrecision="year"), "2026")[0] == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("text", "kind", "value", "issue", "repair"),
    [
        ("2026-06-30T08:00:00", DATE, datetime(2026, 6, 30, 1), None, None),
        ("2026-06-30 08:00:00", Kind.TEXT, datetime(2026, 6, 30, 1), None, None),
        ("30/06/2026 08:00", Kind.TEXT, datetime(2026, 6, 30, 1), None, None),
        ("30/06/2026 08:00:30", Kind.TEXT, datetime(2026, 6, 30, 1, 0, 30), None, None),
        ("08:30 30/6/2026", Kind.TEXT, datetime(2026, 6, 30, 1, 30), None, None),
        ("30/6/2026 8h30", Kind.TEXT, datetime(2026, 6, 30, 1, 30), None, None),
        ("2026-06-30T08:00:00Z", Kind.TEXT, datetime(2026, 6, 30, 8), None, None),
        ("2026-06-30T08:00:00+07:00", Kind.TEXT, datetime(2026, 6, 30, 1), None, None),
        ("2026-06-30T08:00:00-0530", Kind.TEXT, datetime(2026, 6, 30, 13, 30), None, None),
        ("2026-06-30T08:00:00.250", Kind.TEXT, datetime(2026, 6, 30, 1, 0, 0, 250_000), None, None),
        ("46203.5", NUMBER, datetime(2026, 6, 30, 5), None, "SERIAL"),
        ("30/06/2026", Kind.TEXT, datetime(2026, 6, 29, 17), None, "MIDNIGHT"),
        ("30/06/2026 25:00", Kind.TEXT, None, "BAD_DATE", None),
        ("06/2026", Kind.TEXT, None, "DATE_NOT_PRECISE", None),
        ("2026-07-02T23:59:59", Kind.TEXT, datetime(2026, 7, 2, 16, 59, 59), None, None),  # still the day of receipt
        ("2026-07-03T00:00:00", Kind.TEXT, None, "FUTURE_DATE", None),
    ],
)
def test_datetime(text: str, kind: int, value: datetime | None, issue: str | None, repair: str | None) -> None:
    expected = value.replace(tzinfo=UTC) if value else None
    assert one(column("datetime", notFuture=True), text, kind) == (expected, issue, repair)


def test_datetime_that_needs_a_time() -> None:
    assert one(column("datetime", minPrecision="minute"), "30/06/2026")[1] == "DATE_NOT_PRECISE"


def test_boolean() -> None:
    ticks = column("boolean")
    for yes in ("x", "X", "✓", "v", "Có", "1", "+"):
        assert one(ticks, yes)[0] is True, yes
    for no in ("không", "0", "-", "–"):
        assert one(ticks, no)[0] is False, no
    assert one(ticks, "true", BOOLEAN)[0] is True
    assert one(ticks, "") == (None, None, None)
    assert one(column("boolean", blank=False), " ") == (False, None, None)
    assert one(column("boolean", required=True), "")[1] == "MISSING"
    assert one(ticks, "xem lại")[1] == "BAD_BOOLEAN"


def test_category() -> None:
    village_type = column("category", required=True)
    assert one(village_type, "THON") == ("THON", None, None)
    assert one(village_type, "Thôn") == ("THON", None, None)
    assert one(village_type, "Thôn ") == ("THON", None, None)
    assert one(village_type, "Tổ dân phố") == ("TDP", None, None)
    assert one(village_type, "TO DAN PHO") == ("TDP", None, "CODE_LIST")
    assert one(village_type, "buôn") == ("THON", None, "CODE_LIST")
    assert one(village_type, "Xóm") == (None, "NOT_IN_LIST", None)
    assert one(village_type, "-") == (None, "MISSING", None)


def test_category_does_not_choose_between_entries_that_differ_by_accents_only() -> None:
    places = column("category", enum=(EnumValue("A", "Thành Hải"), EnumValue("B", "Thanh Hải")))
    assert one(places, "thành hải")[0] == "A"
    assert one(places, "THANH HAI")[1] == "NOT_IN_LIST"


def test_category_sign_in_the_list_is_a_value() -> None:
    assert one(column("category", enum=(EnumValue("00", "Không", ("–",)),)), "–")[1] is None
    ethnicity = column("category", enum=(EnumValue("01", "Kinh"),), width=2)
    assert one(ethnicity, "1", NUMBER) == ("01", None, "LEADING_ZERO")


@pytest.mark.parametrize(
    ("text", "value", "issue", "repair"),
    [
        *[(word, word, None, None) for word in ("NA", "NULL", "None", "nan", "N/A", "5")],
        ("Bản Đào; Mây", "Bản Đào; Mây", None, None),
        ("Lý Thị Đào-Mây", "Lý Thị Đào-Mây", None, None),
        ("  Thôn\u00a0Nà Đường \u200b", "Thôn Nà Đường", None, "SPACES"),
        ("Tho\u0302n Na\u0300", "Thôn Nà", None, "NFC"),
        ("Ðào", "Đào", None, "LOOK_ALIKE"),
        ("Nà\tLụa", "Nà Lụa", None, "SPACES"),
        ("Nà\r\nLụa", "Nà Lụa", None, "SPACES"),
        (" Nà Lụa ", "Nà Lụa", None, None),
        ('=HYPERLINK("http://vi-du.invalid")', None, "FORMULA_TEXT", None),
        ("@SUM(1+1)*cmd", None, "FORMULA_TEXT", None),
        ("+Phó phòng", None, "FORMULA_TEXT", None),
        ("-Nà", None, "FORMULA_TEXT", None),
        ("\u200b=1+1", None, "FORMULA_TEXT", None),
        ("Bế Văn\x00Pác", None, "CONTROL_CHARACTER", None),
        ("Nà\x1fLụa", None, "CONTROL_CHARACTER", None),
        ("Th\ufffdn N\ufffd", None, "UNREADABLE_TEXT", None),
        ("Th?n N?", None, "UNREADABLE_TEXT", None),
        ("#N/A", None, "EXCEL_ERROR", None),
        ("x" * 201, None, "TOO_LONG", None),
        ("ế" * 200, "ế" * 200, None, None),
        ("", None, "MISSING", None),
        ("-", None, "MISSING", None),
        ("…", None, "MISSING", None),
        ('"', None, "UNREADABLE_TEXT", None),  # a ditto mark is no name
        ("“Làng” Nà", "“Làng” Nà", None, None),
    ],
)
def test_name(text: str, value: str | None, issue: str | None, repair: str | None) -> None:
    assert one(column("name", required=True), text) == (value, issue, repair)


def test_a_name_that_excel_made_a_date_is_refused() -> None:
    assert one(column("name"), "2026-02-03", DATE)[1] == "DATE_CELL"


def test_text_keeps_what_copy_would_trip_over() -> None:
    position = column("text")
    assert one(position, "\\N") == ("\\N", None, None)
    assert one(position, "Văn thư\\") == ("Văn thư\\", None, None)
    assert one(position, "Phó Chủ tịch\nHĐND") == ("Phó Chủ tịch HĐND", None, "SPACES")
    assert one(position, "- Văn thư; - Kế toán")[0] == "- Văn thư; - Kế toán"
    assert one(column("text", maxLength=3), "abcd")[1] == "TOO_LONG"


@pytest.mark.parametrize(
    ("text", "kind", "value", "issue", "repair"),
    [
        ("05961", Kind.TEXT, "05961", None, None),
        ("\u200b05963\xa0", Kind.TEXT, "05963", None, None),
        ("5961", NUMBER, "05961", None, "LEADING_ZERO"),
        ("05961", NUMBER, "05961", None, None),
        ("22333.0", Kind.TEXT, "22333", None, "DECIMAL_ZERO"),
        ("4.0", Kind.TEXT, "00004", None, "LEADING_ZERO"),
        ("-1234", Kind.TEXT, None, "BAD_CODE", None),
        ("123456", Kind.TEXT, None, "BAD_CODE", None),
        ("22333.5", NUMBER, None, "BAD_CODE", None),
        ("Xã Ninh Hải", Kind.TEXT, None, "BAD_CODE", None),
        ("N/A", Kind.TEXT, None, None, None),
    ],
)
@pytest.mark.parametrize("semantic_type", ["commune_code", "code"])
def test_codes_of_a_width(
    semantic_type: str, text: str, kind: int, value: str | None, issue: str | None, repair: str | None
) -> None:
    of = column("code", width=5) if semantic_type == "code" else column("commune_code")
    assert one(of, text, kind) == (value, issue, repair)


def test_codes_with_a_pattern_or_none() -> None:
    dossier = column("code", pattern="H32\\.[0-9]{2}", upper=True)
    assert one(dossier, "h32.01")[0] == "H32.01"
    assert one(dossier, "H32.1")[1] == "BAD_CODE"
    assert one(column("code", pattern=".*"), "a\x00b")[1] == "CONTROL_CHARACTER"
    assert one(column("code"), "1.004222") == ("1.004222", None, None)
    assert one(column("code"), "1.004222", NUMBER)[1] == "BAD_CODE"  # a zero at its end may be lost
    assert one(column("code"), "5961", NUMBER)[0] == "5961"
    assert one(column("code"), "2026-02-01", DATE)[1] == "DATE_CELL"


def test_extract_takes_the_part_that_is_meant() -> None:
    province = column("province_code", extract=r"\((\d{1,2})\)\s*$", required=True)
    assert one(province, "Tỉnh Khánh Hòa (56)")[0] == "56"
    assert one(province, "Tỉnh Hà Giang (2) ")[0] == "02"
    assert one(province, "56")[0] == "56"
    assert one(province, "Cà Mau")[1] == "BAD_CODE"
    assert one(province, None, Kind.BLANK)[1] == "MISSING"


def test_units_are_left_to_the_resolver() -> None:
    asked: list[pl.DataFrame] = []

    def resolve(frame: pl.DataFrame) -> pl.DataFrame:
        asked.append(frame)
        known = {"22366": "22366", "Phường Nha Trang": "22366", "22330": "22333"}
        code = [known.get(text) for text in frame["text"]]
        return pl.DataFrame(
            {
                "code": pl.Series(code, dtype=pl.String),
                "issue": pl.Series([None if c else "UNKNOWN_UNIT" for c in code], dtype=pl.String),
                "detail": pl.Series([None if c else "22366 Nha Trang" for c in code], dtype=pl.String),
            }
        )

    assert cleaned(column("commune_code"), ["22330"], about=context(1, resolve)).value.to_list() == ["22333"]
    asked.clear()
    cells = ["22366", "Phường  Nha Trang", "99999", "22330", "123456", "", "22366", "Xã Vĩnh Hải"]
    result = cleaned(column("commune_code", required=True), cells, about=context(len(cells), resolve))
    assert result.value.to_list() == ["22366", "22366", None, "22333", None, None, "22366", None]
    assert result.issue.to_list() == [
        None, None, "UNKNOWN_UNIT", None, "BAD_CODE", "MISSING", None, "UNKNOWN_UNIT",
    ]  # fmt: skip
    assert result.repair.to_list() == [None, "UNIT_NAME", None, "OLD_CODE", None, None, None, None]
    assert result.detail is not None and result.detail.to_list()[2] == "22366 Nha Trang"
    assert sorted(asked[0]["text"]) == ["22330", "22366", "99999", "Phường Nha Trang", "Xã Vĩnh Hải"]
    assert asked[0].columns == ["text", "as_of", "sender"]


@pytest.mark.parametrize("semantic_type", sorted(SEMANTIC_TYPES))
def test_error_cells_blanks_and_control_characters_in_every_type(semantic_type: str) -> None:
    required, optional = column(semantic_type, required=True), column(semantic_type)
    assert one(required, "#REF!", Kind.ERROR) == (None, "EXCEL_ERROR", None)
    assert one(required, "", Kind.UNCALCULATED) == (None, "UNCALCULATED", None)
    assert one(required, None, Kind.BLANK) == (None, "MISSING", None)
    assert one(required, " \u200b\u00a0", Kind.TEXT) == (None, "MISSING", None)
    assert one(optional, " \u200b\u00a0", Kind.TEXT) == (None, None, None)
    assert one(optional, "1\x00", Kind.TEXT) == (None, "CONTROL_CHARACTER", None)
    assert one(column(semantic_type, required=True, missingCode="BAD_CODE"), "")[1] == "BAD_CODE"
    assert cleaned(optional, []).value.len() == 0


@pytest.mark.parametrize("semantic_type", sorted(SEMANTIC_TYPES))
def test_the_raw_column_is_left_as_it_was(semantic_type: str) -> None:
    def resolve(frame: pl.DataFrame) -> pl.DataFrame:
        nothing = pl.lit(None, pl.String)
        return frame.with_columns(code=pl.lit("22333"), issue=nothing, detail=nothing)

    for cells in (["22330", "22366"], ["22330", "x", "", "Na\u0300"]):
        raw = pl.Series(cells)
        clean(column(semantic_type), raw, pl.Series([1] * len(cells), dtype=pl.UInt8), context(len(cells), resolve))
        assert raw.to_list() == cells


def test_a_word_does_not_turn_its_column() -> None:
    """Case G02: one word fails its own row."""
    result = cleaned(column("integer"), ["312", "1.045", " 98 ", "870,0", "chưa thống kê", "12,5"])
    assert result.value.to_list() == [312, 1045, 98, 870, None, None]
    assert result.issue.to_list() == [None] * 4 + ["PENDING_VALUE", "NOT_WHOLE"]


def test_keys_and_database_types() -> None:
    assert key_form(column("name"), pl.Series(["Thôn  NÀ Hoà", "thôn nà hòa"])).n_unique() == 1
    assert key_form(column("integer"), pl.Series([12, None])).to_list() == ["12", None]
    assert key_form(column("date"), pl.Series([date(2026, 6, 30)])).to_list() == ["2026-06-30"]
    assert key_form(column("decimal"), pl.Series([Decimal("1.50")], dtype=pl.Decimal(18, 2))).to_list() == ["1.50"]
    assert sql_type(column("decimal", scale=3)) == "numeric(18,3)"
    assert sql_type(column("datetime")) == "timestamptz"


def test_issues_are_codes_with_a_text() -> None:
    for code in ("DATE_CELL", "AMBIGUOUS_PERCENT", "UNREADABLE_TEXT", "PENDING_VALUE"):
        assert CODES[code].level == "cell"


def test_option_problems() -> None:
    assert option_problems(column("date", minPrecision="year", notFuture=True)) == []
    assert option_problems(column("integer", scale=2)) == ["scale is not an option of integer"]
    assert option_problems(column("date", minPrecision="hour")) == ["minPrecision: must be one of day month year"]
    assert "look-around" in option_problems(column("code", pattern="(?=a)"))[0]
    assert "one group" in option_problems(column("text", extract="ab"))[0]
    assert option_problems(column("boolean", blank="no")) == ["blank: must be false"]
