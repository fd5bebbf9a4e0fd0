"""Numbers of records and pairs of them: whichever way round, one key; never another record for lost digits."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import Column
from schemas.grid import Kind
from schemas.semantic import clean
from tests.schemas.semantic.helpers import column, context, one

PAIR = Column("pair", "Cặp", "string", "record_pair", required=True, options={"sameAs": "left", "other": "right"})
NUMBERS = st.integers(1, 2**63 - 1)


def pair(left: str, right: str | None) -> tuple[str | None, str | None]:
    about = replace(context(1), siblings={"right": pl.Series([right], dtype=pl.String)})
    got = clean(PAIR, pl.Series([left]), pl.Series([Kind.TEXT], dtype=pl.UInt8), about)
    return got.value[0], got.issue[0]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1234567890123456789", Kind.TEXT, "1234567890123456789"),
        ("9223372036854775807", Kind.TEXT, "9223372036854775807"),
        ("'1234567890123456789", Kind.TEXT, "1234567890123456789"),
        ("123456789012345", Kind.NUMBER, "123456789012345"),
        ("1234567890123456768", Kind.NUMBER, None),  # what is left of a number that Excel has rounded
        ("1.23456789012346E+18", Kind.TEXT, None),
        ("9223372036854775808", Kind.TEXT, None),
        ("0123", Kind.TEXT, None),
        ("-1", Kind.TEXT, None),
    ],
)
def test_a_number_of_a_record(text: str, kind: int, value: str | None) -> None:
    assert one(column("record_number"), text, kind) == (value, None if value else "BAD_CODE", None)


@given(NUMBERS, NUMBERS)
def test_a_pair_has_no_order(a: int, b: int) -> None:
    expected = (f"{min(a, b)}/{max(a, b)}", None) if a != b else (None, "BAD_CODE")
    assert pair(str(a), str(b)) == pair(str(b), str(a)) == expected


def test_half_a_pair_is_none() -> None:
    assert pair("12", None) == (None, None)  # what is wrong with the other cell is said of its own column
    assert pair("x", "12") == (None, "BAD_CODE")
