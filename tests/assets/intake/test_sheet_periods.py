"""Periods that sheets say by their names or titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.sheet_periods import period_of_name, period_of_titles


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Tháng 4", "2026-04"),
        ("THÁNG 04", "2026-04"),
        ("thang 4-2025", "2025-04"),
        ("Tháng 12 năm 2025", "2025-12"),
        ("BC tháng 6", "2026-06"),
        ("Tháng 4 (2)", "2026-04"),
        ("Tháng 4 - Copy", "2026-04"),
        ("Tháng 4 bản cuối", "2026-04"),
        ("04-2026", "2026-04"),
        ("4.2026", "2026-04"),
        ("2026-04", "2026-04"),
        ("Quý II", "2026-Q2"),
        ("Quý 3-2025", "2025-Q3"),
        ("Q4", "2026-Q4"),
        ("T5", "2026-05"),
        ("T05", "2026-05"),
        ("T5-2025", "2025-05"),
        ("T1 (2)", "2026-01"),
        ("t 11", "2026-11"),
        ("Sheet1", None),
        ("Sheet1 (2)", None),
        ("Tháng 13", None),
        ("Tổng hợp", None),
        ("T15", None),
        ("Thôn 4", None),
        ("", None),
    ],
)
def test_a_name(name: str, label: str | None) -> None:
    found = period_of_name(name, 2026, True)
    assert (found.label if found else None) == label


def test_a_short_month_is_none_where_it_may_be_a_hamlet() -> None:
    assert period_of_name("T5", 2026, False) is None
    assert period_of_name("Tháng 5", 2026, False) is not None


@given(
    st.integers(1, 12),
    st.integers(2000, 2099),
    st.sampled_from(["Tháng {m} năm {y}", "T{m:02}-{y}", "{m}.{y}", "{y}-{m:02}"]),
)
def test_a_month_with_its_year_is_that_month(month: int, year: int, form: str) -> None:
    found = period_of_name(form.format(m=month, y=year), 1999, True)
    assert found is not None and found.label == f"{year}-{month:02}"


@pytest.mark.parametrize(
    ("titles", "label"),
    [
        (["BÁO CÁO THÁNG 6 NĂM 2026"], "2026-06"),
        (["Biểu 01", "Tháng 6/2026", "tháng 6 năm 2026"], "2026-06"),
        (["Quý II năm 2026"], "2026-Q2"),
        (["Pác Thông, ngày 5 tháng 7 năm 2026"], None),
        (["Tháng 5 năm 2026 và tháng 6 năm 2026"], None),
        (["Số liệu năm 2026"], None),
    ],
)
def test_titles(titles: list[str], label: str | None) -> None:
    found = period_of_titles(titles)
    assert (found.label if found else None) == label
