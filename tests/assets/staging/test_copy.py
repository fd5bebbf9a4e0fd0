"""COPY: every value of a frame arrives in PostgreSQL as it was; null is NULL, and the empty text is not null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.staging import copy
from assets.staging.copy import as_json, copy_frame, without_nul

TYPES = "n bigint, t text, i bigint, d numeric(18, 2), f double precision, day date, at timestamptz, b boolean, j jsonb"


@pytest.fixture(scope="module")
def connection(server_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"create temporary table copied ({TYPES})")
        yield connection


def copied(connection: psycopg.Connection, frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    connection.execute("truncate copied")
    assert copy_frame(connection, ("copied",), frame.with_row_index("n")) == frame.height
    names = ", ".join(frame.columns)
    return connection.execute(f"select {names} from copied order by n").fetchall()


ODD = [
    "",
    " ",
    "\\N",
    "\\.",
    "NULL",
    "nan",
    '"',
    '""',
    ",",
    ";",
    "a\nb",
    "a\rb",
    "\r\n",
    "\t",
    "'",
    "Bình An",
    "😀",
    "\\",
]


def test_texts_that_mean_something_to_copy(connection: psycopg.Connection) -> None:
    texts = [*ODD, None]
    assert copied(connection, pl.DataFrame({"t": pl.Series(texts, dtype=pl.String)})) == [(t,) for t in texts]


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=20))
def test_any_text(connection: psycopg.Connection, texts: list[str | None]) -> None:
    assert copied(connection, pl.DataFrame({"t": pl.Series(texts, dtype=pl.String)})) == [(t,) for t in texts]


def test_every_type(connection: psycopg.Connection) -> None:
    rows: list[dict[str, Any]] = [
        {
            "i": -(2**63), "d": Decimal("-12345678901234.56"), "f": 0.1, "day": date(1, 1, 1),
            "at": datetime(2026, 6, 30, 23, 59, 59, 999999, UTC), "b": True, "j": '{"a": "\\"x\\", 1"}',
        },
        {
            "i": 2**63 - 1, "d": Decimal("0.01"), "f": 1e-300, "day": date(9999, 12, 31),
            "at": datetime(1, 1, 1, tzinfo=UTC), "b": False, "j": "[]",
        },
        dict.fromkeys(("i", "d", "f", "day", "at", "b", "j")),
    ]  # fmt: skip
    frame = pl.DataFrame(
        rows,
        schema={
            "i": pl.Int64, "d": pl.Decimal(18, 2), "f": pl.Float64, "day": pl.Date, "at": pl.Datetime("us", "UTC"),
            "b": pl.Boolean, "j": pl.String,
        },
    )  # fmt: skip
    expected = [tuple(json.loads(v) if k == "j" and v else v for k, v in row.items()) for row in rows]
    assert copied(connection, frame) == expected


def test_more_rows_than_a_slice_and_none(connection: psycopg.Connection) -> None:
    many = pl.DataFrame({"i": pl.int_range(70_000, eager=True)})
    assert copied(connection, many)[-1] == (69_999,)
    assert copy_frame(connection, ("copied",), pl.DataFrame(schema={"i": pl.Int64})) == 0


def test_rows_as_json_without_blanks_and_without_nul() -> None:
    frame = pl.DataFrame({"a": ["x\0", None, 'ế"'], "b": ["", "2", None]})
    assert [json.loads(t) for t in as_json(frame)] == [{"a": "x␀", "b": ""}, {"b": "2"}, {"a": 'ế"'}]
    assert as_json(pl.DataFrame({"a": []}, schema={"a": pl.String})).to_list() == []
    assert as_json(frame.select([])).to_list() == []
    assert frame.select(without_nul("a"))["a"].to_list() == ["x␀", None, 'ế"']


def test_the_binary_form_says_what_the_text_form_says(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [
        date(1, 1, 1),
        date(1899, 12, 31),
        date(1970, 1, 1),
        date(2000, 1, 1),
        date(2262, 4, 12),
        date(9999, 12, 31),
        None,
    ]
    times = [datetime(d.year, d.month, d.day, 23, 59, 59, 999_999, UTC) if d else None for d in days]
    wholes = [0, -1, 1, 2**63 - 1, -(2**63), 2**53 + 1, None]
    texts = [*ODD, None]
    rows = [
        (texts[n % len(texts)], wholes[n % 7], days[n % 7], times[n % 7], [True, False, None][n % 3])
        for n in range(140)
    ]
    schema = {"t": pl.String, "i": pl.Int64, "day": pl.Date, "at": pl.Datetime("us", "UTC"), "b": pl.Boolean}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    # a slice of a longer frame, in more than one part
    frame = pl.concat([frame.head(3), frame, frame]).slice(3).with_columns(n=pl.int_range(pl.len(), dtype=pl.Int64))
    names = "t, i, day::text, at::text, b"
    connection.execute("set timezone to 'UTC'")
    found = []
    for least, typed in ((0, True), (10**9, True), (0, False)):
        monkeypatch.setattr(copy, "_BINARY_FROM", least)
        monkeypatch.setattr(copy, "_SLICE", 100)
        connection.execute("truncate copied")
        assert copy_frame(connection, ("copied",), frame, typed=typed) == frame.height
        found.append(connection.execute(f"select {names} from copied order by n").fetchall())
    assert found[0] == found[1] == found[2]
    assert [row[0] for row in found[0]] == frame["t"].to_list()
    assert [row[1] for row in found[0]] == frame["i"].to_list()
    assert [row[2] for row in found[0]] == [None if d is None else f"{d:%Y-%m-%d}".rjust(10, "0") for d in frame["day"]]


def test_a_money_column_goes_as_text(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy, "_BINARY_FROM", 0)
    connection.execute("truncate copied")
    money = pl.DataFrame({"d": [Decimal("1.20"), None, Decimal("-99999.99")]}, schema={"d": pl.Decimal(18, 2)})
    copy_frame(connection, ("copied",), money, typed=True)
    assert connection.execute("select d from copied").fetchall() == [
        (Decimal("1.20"),),
        (None,),
        (Decimal("-99999.99"),),
    ]
