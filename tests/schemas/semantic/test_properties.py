"""What holds for any cell of any type: no exception, null means issue or blank, and all tiers agree."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.codes import CODES
from schemas.grid import Kind
from schemas.semantic import SEMANTIC_TYPES
from schemas.semantic import base as tiers
from schemas.semantic.texts import CANONICAL
from schemas.text import clean_one
from tests.schemas.semantic.helpers import Row, cleaned, column, one, rows

COLUMNS = [
    # the values of these are made of several columns
    *(column(name) for name in SEMANTIC_TYPES if name not in ("place_path", "record_pair")),
    column("code", width=5),
    column("code", pattern="[A-Z]{2}.*", upper=True),
    column("integer", minimum=-(10**9), required=True, unit="hộ"),
    column("decimal", scale=4, decimalMark="."),
    column("decimal", scale=0),
    column("date", minPrecision="year", notFuture=True),
    column("boolean", blank=False),
]

LIKELY = st.one_of(
    st.from_regex(r"[-+]?[0-9]{1,4}([., ][0-9]{1,3}){0,3}( hộ|%| triệu| đ)?", fullmatch=True),
    st.from_regex(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}( [0-9]{1,2}:[0-9]{2})?", fullmatch=True),
    st.from_regex(r"[0-9]{4}(-[0-9]{2}){2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}(Z|\+07:00|\.[0-9]{3})?)?", fullmatch=True),
    st.sampled_from(
        ["", "-", "…", "N/A", "x", "X", "Thôn", "tổ dân phố", "05961", "5961.0", "=1", "chưa có", "#REF!", "NULL",
         "1e5", "32143", "0.5", "1985", "Nà  Lụa", "Xã Ninh Hải", "true", "a\tb", "a\x0bb", "\u0301", "1\u0301"]
    ),
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=12), LIKELY, LIKELY.map(lambda t: f" {t}\u200b"))
KINDS = st.sampled_from([Kind.TEXT] * 5 + list(Kind))
CELLS = st.lists(st.tuples(TEXTS, KINDS), min_size=1, max_size=12)


def cells_of(of: Any, cells: list[tuple[str, int]]) -> list[Row]:
    return rows(of, [text for text, _ in cells], [kind for _, kind in cells])


@given(st.sampled_from(COLUMNS), CELLS)
@example(column("names"), [(",", 1), (" ; ", 1)])
@example(column("names", required=True), [(",", 1), ("A,", 1)])
def test_a_column_is_its_cells_one_by_one(of: Any, cells: list[tuple[str, int]]) -> None:
    together = cells_of(of, cells)
    assert together == [one(of, text, kind) for text, kind in cells]
    for (text, kind), (value, issue, repair) in zip(cells, together, strict=True):
        assert value is None or issue is None
        assert issue is None or (CODES[issue].level == "cell" and repair is None)
        if value is None and issue is None:
            left = clean_one(text)
            left = left.strip("; ,") if of.semantic_type == "names" else left
            nothing = not left or tiers.is_mark(left) or left.lower() in ("n/a", "na", "n.a.", "null", "none", "nan")
            assert nothing and not of.required and kind not in (Kind.ERROR, Kind.UNCALCULATED)


@given(st.sampled_from(COLUMNS), CELLS)
@example(column("decimal"), [("1234,5", 1), ("1.234", 1), ("1.234", 2), ("-1.234.567,89", 1), ("12.345.678", 1)])
@example(column("percent"), [("1", 1), ("1", 2), ("0.5", 2), ("1.234,5", 1)])
@example(column("date"), [("1.2/1985", 1), ("31-4-1985", 1), ("0/0/1985", 1), ("0/2/1985", 1)])
@example(column("date"), [("1/2/+1985", 1), ("01/ 2/1985", 1), ("+985-02-01", 1)])
@example(column("names"), [("0,", 1), ("A; B,C", 1), ("a ,", 1), (",", 1)])
@example(column("name"), [("Na\u0300", 1), ("a\x00", 1), ("=\u00a0", 1), ("Ða", 1), ("\u00a0a ", 1), ("3/2/2026", 1)])
def test_every_tier_answers_like_the_rule_of_a_cell(of: Any, cells: list[tuple[str, int]]) -> None:
    """With ``quick`` (and ``bulk``) put out of action, everything is read by ``cell``: the answers must not change."""
    kind_of = SEMANTIC_TYPES[of.semantic_type]
    before = tiers.BULK_FROM, tiers.DISTINCT_FROM
    try:
        tiers.BULK_FROM, tiers.DISTINCT_FROM = 0, 0
        fast = cells_of(of, cells)
    finally:
        tiers.BULK_FROM, tiers.DISTINCT_FROM = before
    read = tiers.guarded(kind_of, of)
    slow = [read(text, kind, date(2026, 7, 2)) for text, kind in cells]
    for (text, kind), got, answer in zip(cells, fast, slow, strict=True):
        if got[1] in ("OUT_OF_RANGE", "FUTURE_DATE", "TOO_LONG", "DATE_CELL"):  # what applies after all tiers
            assert answer.value is not None or answer.issue in (got[1], "BAD_DATE"), (text, kind)
        elif of.semantic_type == "date" and answer.issue == "BAD_DATE" and got[0]:
            assert len(text) == 10 and ("+" in text or " " in text), (text, kind)  # harmless leniency of the parser
        else:
            kept = answer.value if of.semantic_type not in ("text", "name") else got[0] and answer.value
            if of.semantic_type == "names" and kept is not None:  # separated after all tiers
                parts = clean_one(re.sub("[\r\n\v\u2028]+", ";", text))
                kept = re.sub(" ?[;,][;, ]*", "; ", parts).strip("; ") or None
            assert got[:2] == (kept, answer.issue), (text, kind)


@given(st.sampled_from(COLUMNS), TEXTS)
def test_cleaning_again_changes_nothing(of: Any, text: str) -> None:
    value = one(of, text)[0]
    if value is not None:
        kind = Kind.NUMBER if isinstance(value, Decimal | int) and not isinstance(value, bool) else Kind.TEXT
        if of.semantic_type == "percent":
            kind = Kind.TEXT
        again = str(value).lower() if isinstance(value, bool) else str(value)
        assert one(of, again, kind)[:2] == (value, None)


@given(st.integers(0, 2_147_483_647), st.sampled_from([".", " ", "\u00a0", ","]))
def test_grouped_whole_numbers_come_back(number: int, mark: str) -> None:
    text = f"{number:,}".replace(",", mark)
    value, issue, _ = one(column("integer"), text)
    if mark == "," and 1000 <= number < 1_000_000:
        assert issue == "AMBIGUOUS_NUMBER"
    else:
        assert value == number


@given(st.decimals(-(10**9), 10**9, places=2))
def test_vietnamese_decimals_come_back(number: Decimal) -> None:
    text = f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    assert one(column("decimal"), text)[0] == number


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_dates_come_back_in_every_spelling(day: date) -> None:
    d, m, y = day.day, day.month, day.year
    spellings = [
        day.isoformat(), f"{d:02}/{m:02}/{y}", f"{d}/{m}/{y}", f"{d:02}.{m:02}.{y}", f"{d}-{m}-{y}",
        f"ngày {d:02} tháng {m:02} năm {y}", f"Ngày {d}/{m}/{y}",
    ]  # fmt: skip
    assert cleaned(column("date"), spellings).value.to_list() == [day] * len(spellings)


@pytest.mark.parametrize("of", COLUMNS, ids=lambda c: f"{c.semantic_type} {dict(c.options)}")
def test_many_rows_as_few(of: Any) -> None:
    """Beyond the sizes from which other tiers take part."""
    few = [
        "1.234", "12,5", "1234,56", "1.234.567,89", "05961", "4", "1/2/1985", "01/02/1985", "1985-02-01", "31/04/1990",
        "2026-06-30T08:00:00", "30/06/2026 08:00", "2026-06-30T08:00:00Z", "x", "", "-", "Tổ dân phố", "Bản", "Nà Lụa",
        "Na\u0300 Lu\u0323a", "Nà\u00a0Lụa", "=1", "a\x00b", "#REF!", "chưa có", "12/5/68", "2 triệu", "66,49%",
    ]  # fmt: skip
    assert rows(of, few * 40) == rows(of, few) * 40


def test_canonical_text_is_what_cleaning_leaves_alone() -> None:
    """Each character that the quick pattern lets pass: NFC, visible, not a look-alike."""
    everything = [chr(n) for n in range(0x20, 0x3000)]
    let_pass = pl.Series([f"a{c}" for c in everything]).str.contains(CANONICAL).to_list()
    passing = [c for c, ok in zip(everything, let_pass, strict=True) if ok]
    assert len(passing) > 800
    for char in passing:
        assert clean_one(f"a{char}") == f"a{char}" and unicodedata.normalize("NFC", char) == char, hex(ord(char))
        assert unicodedata.category(char)[0] not in "CMZ", hex(ord(char))
