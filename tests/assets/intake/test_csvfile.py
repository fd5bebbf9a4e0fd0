"""Reading CSV bytes: form, records, kinds, batches, and that the two readers agree."""

from __future__ import annotations

import csv
import io
from itertools import zip_longest
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake import csvfile
from assets.intake.csvfile import csv_form, iter_csv, read_csv
from assets.intake.workbook import letters
from schemas.grid import Grid, Kind, Unreadable

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the folder of shared cases and real files is absent")


def texts(grid: Grid) -> list[list[str]]:
    return [list(row) for row in grid.frame.select(c for c in grid.frame.columns[1::2]).rows()]


def code(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read_csv(data)
    return caught.value.problem.code


@needs_shared
def test_g08_mark_semicolons_and_names_that_look_missing() -> None:
    data = (SHARED / "cases/G08/thon_khau_may.csv").read_bytes()
    grid = read_csv(data)
    assert csv_form(data).separator == ";"
    assert csv_form(data).encoding == "utf-8-sig"
    assert grid.frame["A"].to_list() == ["STT", "1", "2", "3", "4", "5", "6"]
    assert grid.frame["C"].to_list() == ["Tên thôn", "NA", "NULL", "None", "nan", "Bản Đào; Mây", ""]
    assert grid.frame["C__k"].to_list() == [Kind.TEXT] * 6 + [Kind.BLANK]
    assert grid.frame["_row"].to_list() == [1, 2, 3, 4, 5, 6, 7]


@needs_shared
def test_g05_bytes_that_a_database_refuses_stay_in_their_cells() -> None:
    grid = read_csv((SHARED / "cases/G05/can_bo_na_dao.csv").read_bytes())
    assert grid.frame["_row"].to_list() == [1, 2, 3, 4, 5, 6, 7]
    position = dict(zip(grid.frame["_row"], grid.frame["F"], strict=True))
    assert position[3] == "\\N"
    assert position[4] == "Phó Chủ tịch\nHĐND"
    assert position[5] == "Văn thư\\"
    assert "\t" in position[6]
    assert "\0" in grid.frame["C"][6]
    assert set(grid.frame["G"][1:]) == {"05964"}


@needs_shared
@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("BangChuyendoiDVHCmoi_cu_khong_merge.csv", 2 + 10_605, 9),
        ("Xa_2025-01-04.csv", 1 + 10_056, 8),
        ("danhmuchanhchinh.gso.gov.vn_ward_2025-07-18.csv", 1 + 10_035, 8),
        ("dvhc-vietnam.csv", 1 + 11_934, 4),
        ("sapnhap.bando.com.vn_ward_2025-07-17.csv", 1 + 3_321, 15),
        ("sapnhap.bando.com.vn_province_2025-07-17.csv", 1 + 34, 10),
    ],
)
def test_real_files_have_the_rows_that_their_sources_state(name: str, rows: int, columns: int) -> None:
    frame = read_csv((SHARED / "data/real/admin" / name).read_bytes()).frame
    assert (frame.height, frame.width) == (rows, 1 + 2 * columns)
    assert frame["_row"].to_list() == list(range(1, rows + 1))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_below_titles(separator: str) -> None:
    table = [["STT", "Tên thôn", "Tỉ lệ"], ["1", "Bản Mây", "1,5"], ["2", "Nà Lụa", "2,5"]]
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(table)
    data = ("UBND XÃ VĨNH HẢI\nBiểu số 01, quý II, năm 2026\n\n" + out.getvalue()).encode()
    assert csv_form(data).separator == separator
    assert texts(read_csv(data))[3:] == table


def test_a_decimal_comma_in_every_row_is_no_separator() -> None:
    assert csv_form("Tên;Diện tích\nA;1,5\nB;2,5\nC;3,5\n".encode()).separator == ";"
    assert csv_form("Diện tích;Tỉ lệ\n1,5;2,5\n2,5;3,5\n".encode()).separator == ";"


def test_a_line_that_states_the_separator_is_no_record() -> None:
    grid = read_csv(b"\xef\xbb\xbfsep=;\r\na,x;b\r\n1;2\r\n")
    assert texts(grid) == [["a,x", "b"], ["1", "2"]]
    assert grid.frame["_row"].to_list() == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_by_their_mark(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    grid = read_csv(mark + "Tên thôn,Số hộ\nĐào Xá,12\n".encode(encoding))
    assert texts(grid) == [["Tên thôn", "Số hộ"], ["Đào Xá", "12"]]


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffTên thôn".encode("utf-32"),
        "\ufeffTên thôn".encode("utf-16-le") + b"\x00\xd8\n\x00",
        "Tên thôn,Số hộ\n".encode("utf-16-be")[:-1],
    ],
)
def test_any_other_encoding_is_refused(data: bytes) -> None:
    assert code(data) == "NOT_UTF8"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_blank_and_ragged_records(ending: str) -> None:
    data = ending.join(["a,b,c", "1", "", "1,2,3,4,5", " ,,", '"x\r\ny",2,3']).encode() + ending.encode()
    grid = read_csv(data)
    assert texts(grid) == [
        ["a", "b", "c", "", ""],
        ["1", "", "", "", ""],
        ["", "", "", "", ""],
        ["1", "2", "3", "4", "5"],
        [" ", "", "", "", ""],
        ["x\r\ny", "2", "3", "", ""],
    ]
    assert grid.frame["_row"].to_list() == [1, 2, 3, 4, 5, 6]
    assert grid.frame["D__k"].to_list() == [0, 0, 0, 1, 0, 0]
    assert grid.frame.schema["_row"] == pl.Int32
    assert grid.frame.schema["D__k"] == pl.UInt8
    assert grid.cells is not None and grid.cells.to_list() == [3, 1, 0, 5, 3, 3]


@pytest.mark.parametrize("plain_min", [0, 1 << 30], ids=["fast reader", "csv"])
def test_the_cells_of_each_record_are_counted_across_blocks(plain_min: int) -> None:
    data = b"a,b,c\n1,2,3\n1,2\n1,2,\n1,2,3,4\n1,2,3\n"
    for block in (1, 12, 1 << 16):
        (grid,) = csvfile._batches(io.BytesIO(data), 1 << 30, block, plain_min)
        assert grid.cells is not None and grid.cells.to_list() == [3, 3, 2, 3, 4, 3]
    grids = csvfile._batches(io.BytesIO(data), 2, 8, plain_min)
    assert [g.cells.to_list() for g in grids if g.cells is not None] == [[3, 3], [2, 3], [4, 3]]


@pytest.mark.parametrize(
    ("data", "row"),
    [
        ('a,b\n1,2\n"3,4\n5,6\n', 3),
        ('a,b\n1,2\n3,"4\n5,"6"\n7,8\n', 3),
        ('a,b\n"x\ny",2\n1,"2', 3),
        ('a,b\n1,"' + "2,3\n" * 50_000, 2),
    ],
)
def test_quotes_never_closed_name_the_record_in_which_they_begin(data: str, row: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_csv(data.encode())
    assert (caught.value.problem.code, caught.value.problem.params) == ("BROKEN_CSV", {"row": row})


def test_a_record_of_too_many_cells_is_refused() -> None:
    assert code(b"a,b\n" + b"," * 20_000 + b"\n") == "TOO_LARGE"


def test_a_header_alone_and_nothing_at_all() -> None:
    assert texts(read_csv(b"a,b")) == [["a", "b"]]
    assert read_csv(b"\xef\xbb\xbf").frame.height == 0


def test_batches_are_bounded_and_numbered_from_the_start_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("k,v\n" + "".join(f"{i},x\n" for i in range(2, 25_001)) + "25001,x,more\n", encoding="utf-8")
    grids = list(iter_csv(path, batch_rows=4_000))
    assert [g.frame.height for g in grids] == [4_000] * 6 + [1_001]
    rows = pl.concat([g.frame.select("_row", "A") for g in grids])
    assert rows["_row"].to_list() == list(range(1, 25_002))
    assert rows.filter(pl.col("_row") > 1).select(pl.col("A").cast(pl.Int32) == pl.col("_row")).to_series().all()
    assert grids[-1].frame["C"].to_list() == [""] * 1_000 + ["more"]


CELL = st.one_of(
    st.text(st.sampled_from('ab,;\t|"\n\r \\N\0đỨ\u2028\x85\x0b'), max_size=6),
    st.sampled_from(["", "NA", "NULL", '"', '""', "\r\n", "=1+1", "1,5", "\ufeff"]),
)
TABLE = st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=12)


def by_polars_too(data: bytes, form: csvfile.CsvForm, block: int) -> list[list[str]]:
    """The file in small blocks with the fast reader wherever it may be used."""
    lines = csvfile._Lines(io.BytesIO(data), b"", form, block)
    frames = list(csvfile._frames(lines, form, plain_min=0))
    return texts(csvfile._grid(csvfile._join(frames), 0, max(f.width for f in frames), lines)) if frames else []


def by_csv(text: str, separator: str) -> list[list[str]]:
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    columns = zip_longest(*records, fillvalue="")
    return [list(row) for row in zip(*columns, strict=True)] if any(records) else [[""] for _ in records]


def written(table: list[list[str]], separator: str, ending: str, quote_all: bool) -> str:
    """The table as RFC 4180 has it (:class:`csv.writer` leaves a carriage return unquoted)."""

    def cell(text: str) -> str:
        odd = quote_all or any(c in text for c in f'{separator}"\r\n')
        return '"' + text.replace('"', '""') + '"' if odd else text

    return ending.join(separator.join(map(cell, row)) for row in table) + ending


@settings(max_examples=150)
@given(
    TABLE,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.sampled_from([1, 7, 40, 1 << 16]),
)
def test_what_is_written_is_read_in_blocks_of_any_size(
    table: list[list[str]], separator: str, ending: str, quote_all: bool, block: int
) -> None:
    text = written(table, separator, ending, quote_all)
    width = max(map(len, table))
    read = by_polars_too(text.encode(), csvfile.CsvForm("utf-8", separator), block)
    assert read == [row + [""] * (width - len(row)) for row in table]


@settings(max_examples=250)
@given(st.text(st.sampled_from('ab,"\n\r \0đ\u2028'), max_size=40), st.sampled_from([1, 5, 1 << 16]))
def test_the_fast_reader_and_csv_agree_on_any_text_or_both_refuse_it(text: str, block: int) -> None:
    expected: list[list[str]] | str
    found: list[list[str]] | str
    try:
        expected = by_csv(text, ",")
    except csv.Error:
        expected = "BROKEN_CSV"
    try:
        found = by_polars_too(text.encode(), csvfile.CsvForm("utf-8", ","), block)
    except Unreadable as refused:
        found = refused.problem.code
    assert found == expected


def test_the_fast_reader_is_used_for_a_large_file_with_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard for speed: quoted separators and doubled quotes must not send a large file the slow way."""
    data = ('"Mã","Ghi ""chú"""\r\n' + '1,"đủ, đã số hóa"\r\n' * 20_000).encode()
    expected = read_csv(data)
    monkeypatch.setattr(csvfile, "_by_csv", None)
    assert read_csv(data).frame.equals(expected.frame)
    assert expected.frame["B"][0] == 'Ghi "chú"'
    assert letters(expected.frame.width // 2) == "B"
