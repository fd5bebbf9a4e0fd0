"""Files in zips and .gz, and Parquet: names, order, bounds, and that one bad part refuses the whole."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.intake.grids import grids_of
from assets.intake.packed import files_of, unpacked
from assets.intake.parquetfile import read_parquet
from assets.intake.workbook import Limits
from schemas.codes import CODES
from schemas.grid import Kind, Unreadable

from . import books
from .test_readers import cells

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
B, T, N, D, L, E, U, *_ = (int(k) for k in Kind)
CSV = b"Ten,So\nA,1\n"


def zipped(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in entries:
            package.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def refused(data: bytes, name: str = "a.zip") -> tuple[str, dict[str, Any]]:
    with pytest.raises(Unreadable) as caught:
        grids_of(data, name)
    problem = caught.value.problem
    assert "…" not in CODES[problem.code].text(**problem.params)
    return problem.code, problem.params


def test_each_file_by_its_content_and_sheets_named_by_file() -> None:
    page = books.html([["Tên"], ["x"]])
    data = zipped(
        ("thôn/", b""), ("thôn/a.csv", CSV), ("b.xls", books.xls([["Tên", 1]])), ("c.xlsx", page), ("d.xlsx", CSV),
        ("__MACOSX/._b.xls", b"x"), (".DS_Store", b"x"), ("thôn/Thumbs.db", b"x"),
    )  # fmt: skip
    grids, problems = grids_of(data, "a.zip")
    assert [(g.name, g.index) for g in grids] == [("thôn/a.csv", 0), ("b.xls/Thôn", 1), ("c.xlsx", 2), ("d.xlsx", 3)]
    assert [p.code for p in problems] == ["HTML_AS_WORKBOOK", "CSV_AS_WORKBOOK"]


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("../../etc/a.csv", "etc/a.csv"),
        ("/a.csv", "a.csv"),
        ("C:\\x\\a.csv", "x/a.csv"),
        ("..", "?"),
        ("a/./b.csv", "a/b.csv"),
    ],
)
def test_names_lead_nowhere(entry: str, shown: str) -> None:
    assert [name for name, _ in files_of(zipped((entry, CSV)))] == [shown]


def test_names_in_old_code_pages_and_twice() -> None:
    named = zipped(("Th\u00f4n.csv", CSV))
    unmarked = bytearray(named)  # UTF-8 without its mark
    for start in (named.index(b"PK\x03\x04") + 6, named.index(b"PK\x01\x02") + 8):
        unmarked[start + 1] &= 0xF7
    assert [n for n, _ in files_of(bytes(unmarked))] == ["Thôn.csv"]
    old = bytes(unmarked).replace("Thôn".encode(), b"Th\x93\x93n")
    assert [n for n, _ in files_of(old)] == ["Thôôn.csv"]
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(("a.csv", CSV), ("a.csv", CSV))
    assert [n for n, _ in files_of(twice)] == ["a.csv", "a.csv (2)"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (b"", "Tệp rỗng (0 byte)"),
        (b"%PDF-1.7", "Tệp .pdf là văn bản, bản quét hoặc ảnh, không phải bảng số liệu"),
        (zipped(("a.csv", CSV)), "Không mở được tệp nén dạng .zip trong tệp nén khác"),
        (gzip.compress(CSV), "Không mở được tệp nén dạng .gz trong tệp nén khác"),
        (books.xls([["x"]])[:3_000], "Tệp bảng tính bị hỏng hoặc bị cắt dở"),
    ],
    ids=["empty", "pdf", "zip", "gz", "cut off"],
)
def test_one_bad_part_refuses_the_whole_by_its_name(part: bytes, reason: str) -> None:
    assert refused(zipped(("a.csv", CSV), ("b.x", part))) == ("BAD_PART", {"part": "b.x", "reason": reason})


def test_passwords_damage_and_nothing() -> None:
    data = bytearray(zipped(("a.csv", CSV)))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(data))[0] == "PASSWORD"
    sound = zipped(("a.csv", CSV * 100))
    at = sound.index(b"a.csv") + 12
    assert refused(sound[:at] + b"\0\0\0" + sound[at + 3 :])[0] == "DAMAGED_FILE"
    assert refused(sound[:-30])[0] == "DAMAGED_FILE"
    assert refused(zipped())[0] == refused(zipped(("__MACOSX/x", b"")))[0] == "EMPTY_ARCHIVE"


@pytest.mark.parametrize("limits", [Limits(entries=1), Limits(unpacked_bytes=20)])
def test_bounds_of_a_zip_are_kept_before_anything_is_unpacked(limits: Limits) -> None:
    with pytest.raises(Unreadable, match="TOO_LARGE"):
        next(files_of(zipped(("a.csv", CSV), ("b.csv", CSV)), limits))


def test_bombs() -> None:
    with pytest.raises(Unreadable, match="TOO_LARGE"):
        list(files_of(zipped(("a.csv", bytes(17 << 20)))))
    with pytest.raises(Unreadable, match="TOO_LARGE"):
        unpacked(gzip.compress(bytes(1 << 20)), Limits(unpacked_bytes=1 << 19))


def test_gz() -> None:
    assert unpacked(gzip.compress(b"a") + gzip.compress(b"b") + bytes(9)) == b"ab"
    grids, problems = grids_of(gzip.compress(CSV), "thon.xls.gz")
    assert (grids[0].name, [p.code for p in problems]) == ("", ["CSV_AS_WORKBOOK"])
    for name, data in {"a.gz": gzip.compress(CSV)[:-9], "b.gz": gzip.compress(CSV)[:-4] + b"abcd"}.items():
        assert refused(data, name)[0] == "DAMAGED_FILE"
    assert refused(gzip.compress(gzip.compress(CSV)), "a.gz")[0] == "UNSUPPORTED_ARCHIVE"
    assert refused(gzip.compress(b""), "a.gz")[0] == "EMPTY_FILE"


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of real files is absent")
def test_the_real_old_list_through_its_gz() -> None:
    path = SHARED / "data/real/admin/gso.xls.gz"
    grids, problems = grids_of(path.read_bytes(), path.name)
    assert ([(g.name, g.frame.height) for g in grids], problems) == ([("Sheet1", 10_036)], [])


# ----------------------------------------------------------------------------------------------------------- Parquet


def parquet(**columns: pl.Series) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["Nà", None, ""], pl.String, [("Nà", T), ("", B), ("", B)]),
        ([120, None], pl.Int16, [("120", N), ("", B)]),
        ([2.0, 0.1, float("nan"), 1e22], pl.Float64, [("2", N), ("0.1", N), ("NaN", T), ("1e+22", N)]),
        ([Decimal("1.50"), Decimal("-2.00")], pl.Decimal(10, 2), [("1.5", N), ("-2", N)]),
        ([True, False], pl.Boolean, [("true", L), ("false", L)]),
        ([date(2026, 6, 30), None], pl.Date, [("2026-06-30", D), ("", B)]),
        (
            [datetime(2026, 6, 30), datetime(2026, 6, 30, 8, 5, 1, 9)],
            pl.Datetime,
            [("2026-06-30", D), ("2026-06-30T08:05:01", D)],
        ),
        ([datetime(2026, 6, 30, 18, tzinfo=UTC)], pl.Datetime("ns", "UTC"), [("2026-07-01T01:00:00", D)]),
        ([time(8, 5)], pl.Time, [("08:05:00", T)]),
        (["a", "b"], pl.Categorical, [("a", T), ("b", T)]),
        (["Nà".encode()], pl.Binary, [("Nà", T)]),
        ([None], pl.Null, [("", B)]),
    ],
)
def test_types_made_text(values: list[Any], dtype: Any, expected: list[tuple[str, int]]) -> None:
    (grid,) = read_parquet(parquet(cot=pl.Series(values, dtype=dtype)))
    assert list(zip(grid.frame["A"], grid.frame["A__k"], strict=True)) == [("cot", T), *expected]
    assert grid.frame["_row"].to_list() == list(range(1, len(expected) + 2))
    assert cells(grid)["A1"] == ("cot", T)


@pytest.mark.parametrize(
    "column", [pl.Series([[1]]), pl.Series([{"a": 1}]), pl.Series([date(2026, 1, 1)]) - pl.Series([date(2025, 1, 1)])]
)
def test_what_is_no_plain_column_is_refused(column: pl.Series) -> None:
    with pytest.raises(Unreadable, match="UNSUPPORTED_FORMAT"):
        read_parquet(parquet(a=column))


def test_damaged_parquet() -> None:
    data = parquet(a=pl.Series(["Nà Lụa"] * 50), b=pl.Series(range(50)))
    for broken in (data[:-9], b"PAR1" + data[60:], b"PAR1", parquet(a=pl.Series([b"\xff"]))):
        with pytest.raises(Unreadable, match="DAMAGED_FILE"):
            read_parquet(broken)


@pytest.mark.parametrize(
    "limits", [Limits(rows=9), Limits(columns=1), Limits(cells=15), Limits(unpacked_bytes=50), Limits(text_bytes=9)]
)
def test_bounds_of_parquet(limits: Limits) -> None:
    with pytest.raises(Unreadable, match="TOO_LARGE"):
        read_parquet(parquet(a=pl.Series(["Nà"] * 9), b=pl.Series(range(9))), limits)


def test_a_dictionary_cannot_blow_up() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": pa.DictionaryArray.from_arrays([0] * 1_000, ["x" * 1_000_000])}), out)
    assert len(out.getvalue()) < 2_000_000
    with pytest.raises(Unreadable, match="TOO_LARGE"):
        read_parquet(out.getvalue())
