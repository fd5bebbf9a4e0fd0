"""One table, every format: the same texts, and the same kinds where the format has them."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake.grids import grids_of
from assets.intake.readers import reader
from assets.intake.sniff import sniff
from assets.intake.workbook import letters
from schemas.grid import KIND, Grid, Kind, Unreadable

from . import books

VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.integers(0, 200),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda f: round(f, 4) + 0.0),
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.text(st.sampled_from("aĐừộ&<>\"';,#0\U0001d11e"), min_size=1, max_size=6),
    st.sampled_from(["00123", "1.234", "=A1", "#REF!", "NULL", "thôn  Nà\nLụa".replace("\n", "-").replace("  ", " ")]),
)
TABLE = st.lists(st.lists(VALUE, min_size=3, max_size=3), min_size=1, max_size=6).map(
    # a header of text first: what is sent begins so, and a CSV of one odd cell could be another format
    lambda rows: [["Tên", "Số hộ", "Ngày"], *rows]
)


def cells(grid: Grid) -> dict[str, tuple[str, int]]:
    """Address -> text and kind of all cells that are not blank."""
    found = {}
    for row in grid.frame.rows(named=True):
        for name in grid.frame.columns[1::2]:
            if row[name + KIND]:
                found[f"{name}{row['_row']}"] = (row[name], row[name + KIND])
            else:
                assert row[name] == ""
    return found


def expected(table: books.Table) -> dict[str, tuple[str, int]]:
    kinds = {bool: Kind.BOOLEAN, int: Kind.NUMBER, float: Kind.NUMBER, date: Kind.DATE, str: Kind.TEXT}
    return {
        f"{letters(column)}{row}": (short(value), int(kinds[type(value)]))
        for row, line in enumerate(table, 1)
        for column, value in enumerate(line, 1)
        if value is not None
    }


def short(value: Any) -> str:
    text = books.plain(value)
    return f"{value:.10f}".rstrip("0") if isinstance(value, float) and "e" in text else text


@pytest.mark.parametrize(
    ("kind", "write", "typed"),
    [
        ("xlsx", books.xlsx, True),
        ("xls", books.xls, True),
        ("xlsb", books.xlsb, True),
        ("ods", books.ods, True),
        ("xmlsheet", books.xml_2003, True),
        ("csv", books.text_csv, False),
        ("html", books.html, False),
        ("json", books.json_lists, None),
        ("json", books.json_records, None),
    ],
)
@settings(max_examples=40)
@given(table=TABLE)
def test_the_same_table_in_every_format(
    kind: str, write: Callable[[books.Table], bytes], typed: bool | None, table: books.Table
) -> None:
    data = write(table)
    assert sniff(data, "khong_duoi").kind == kind
    (grid,) = reader(kind)(data)
    want = expected(table)
    if typed is False:
        want = {k: (v if kind == "html" else books.plain(_at(table, k)), int(Kind.TEXT)) for k, (v, _) in want.items()}
        want = {k: (books.plain(_at(table, k)), t) for k, (_, t) in want.items()}
    elif typed is None:  # JSON has no dates
        want = {k: (v, int(Kind.TEXT) if t == Kind.DATE else t) for k, (v, t) in want.items()}
    assert cells(grid) == want
    assert grid.frame.columns == ["_row", *(c + s for c in sorted({k[0] for k in want}) for s in ("", KIND))]
    assert grid.frame.schema["_row"] == pl.Int32 and grid.frame["_row"].is_sorted()


def _at(table: books.Table, address: str) -> Any:
    return table[int(address[1:]) - 1]["ABC".index(address[0])]


WRITERS = {
    "a.xls": books.xls, "a.xlsb": books.xlsb, "a.ods": books.ods, "a.xml": books.xml_2003, "a.html": books.html,
    "a.json": books.json_records, "a.zip": lambda t: books.zipped(**{"a.csv": books.text_csv(t), "b.xls": books.xls(t)}),
}  # fmt: skip
SOUND = {n: w([["Tên", "Số"], ["Nà Lụa", 1], ["Đào", 2.5], ["Mây", True]]) for n, w in WRITERS.items()}


def _parquet() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"Tên": ["Nà Lụa", None], "Số": [1, 2]}).write_parquet(out)
    return out.getvalue()


SOUND["a.parquet"] = _parquet()


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=150)
@given(data=st.data())
def test_any_damage_is_read_or_refused_never_a_crash(name: str, data: st.DataObject) -> None:
    whole = SOUND[name]
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for broken in (bytes(flipped), whole[:cut], whole[cut:], whole[:at] + whole[cut:]):
        outcome(broken, name)


def outcome(data: bytes, name: str) -> str | list[dict[str, tuple[str, int]]]:
    """The code of a refusal, or what was read."""
    try:
        return [cells(grid) for grid in grids_of(data, name)[0]]
    except Unreadable as refused:
        return refused.problem.code


@pytest.mark.parametrize("name", [n for n in SOUND if n not in ("a.html", "a.json")])
def test_a_file_that_is_cut_off_is_refused_or_whole(name: str) -> None:
    whole = SOUND[name]
    refused = 0
    for cut in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        found = outcome(whole[:cut], name)
        # the last bytes of a container may be no more than filling
        assert isinstance(found, str) or found == outcome(whole, name)
        refused += isinstance(found, str)
    assert refused > 30
