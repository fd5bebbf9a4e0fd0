"""Reading .xls bytes: kinds of cells, formats, both day systems, what is hidden, damage; the real files against xlrd."""

from __future__ import annotations

import gzip
import struct
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlrd
import xlwt

from assets.intake.ole import Ole
from assets.intake.workbook import Limits, letters, shortest
from assets.intake.xls import read_xls
from schemas.grid import Grid, Kind, Unreadable

from .books import saved
from .test_readers import cells

SHARED = Path(__file__).resolve().parents[3].parent / "shared"
B, T, N, D, L, E, U, *_ = (int(k) for k in Kind)


def book(*values: Any, style: str | None = None, number_format: str | None = None, **more: Any) -> xlwt.Workbook:
    """A workbook with the values in column A."""
    made = xlwt.Workbook(encoding="utf-8")
    sheet = made.add_sheet("Thôn")
    for row, value in enumerate(values):
        sheet.write(row, 0, value, xlwt.easyxf(style or "", num_format_str=number_format))
    for name, value in more.items():
        setattr(made, name, value)
    return made


def read(*values: Any, **more: Any) -> list[tuple[str, int]]:
    return list(cells(read_xls(saved(book(*values, **more)))[0]).values())


def code(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read_xls(data, limits)
    return caught.value.problem.code


def stream(data: bytes) -> bytes:
    return Ole(data).read("Workbook")


def patched(data: bytes, number: int, change: Any) -> bytes:
    """The workbook's stream (read as well without its container) with the bodies of the records of one number changed."""
    out, body, at = b"", stream(data), 0
    while at + 4 <= len(body):
        kind, size = struct.unpack_from("<HH", body, at)
        content = body[at + 4 : at + 4 + size]
        at += 4 + size
        changed = change(content) if kind == number else content
        out += struct.pack("<HH", kind, len(changed)) + changed  # the offsets of sheets hold where sizes stay
    return out


def by_excel(body: bytes) -> bytes:
    return body[:8] + b"\xc1\0\0\0" + body[12:] if len(body) >= 16 else body


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of real files is absent")
@pytest.mark.parametrize(
    ("path", "rows", "columns"),
    [
        ("admin/gso.xls.gz", 10_036, 8),
        ("census2019/Ward change record (1-1-2019 vs 10-11-2024)_modified.xls.gz", 11_205, 13),
    ],
)
def test_real_workbooks_equal_xlrd_cell_by_cell(path: str, rows: int, columns: int) -> None:
    data = gzip.decompress((SHARED / "data/real" / path).read_bytes())
    (grid,) = read_xls(data)
    assert grid.frame.shape == (rows, 1 + 2 * columns)
    sheet = xlrd.open_workbook(file_contents=data, logfile=open("/dev/null", "w")).sheet_by_index(0)  # noqa: SIM115
    for column in range(sheet.ncols):
        want = [str(c.value) if c.ctype != xlrd.XL_CELL_NUMBER else shortest(repr(c.value)) for c in sheet.col(column)]
        assert grid.frame[letters(column + 1)].to_list() == want
    if "gso" in path:
        old = grid.frame.filter(grid.frame["B"].is_in(["56", "58"]))["B"].value_counts()
        assert dict(old.rows()) == {"56": 132, "58": 62}
        assert grid.frame["F"][1] == "00001"  # codes are texts


def test_blank_error_formula_and_others_are_told_apart() -> None:
    made = book("a", 1.5, True, "", xlwt.Formula("A2*2"))
    sheet = made.get_sheet(0)
    sheet.row(5).set_cell_error(0, "#REF!")
    sheet.row(6).set_cell_blank(0)
    assert cells(read_xls(saved(made))[0]) == {
        "A1": ("a", T), "A2": ("1.5", N), "A3": ("true", L), "A5": ("", U), "A6": ("#REF!", E)
    }  # fmt: skip


def test_the_empty_text_as_a_result_is_blank_only_where_excel_calculated_it() -> None:
    data = saved(book("x", xlwt.Formula('""')))
    assert cells(read_xls(patched(data, 0x809, by_excel))[0]) == {"A1": ("x", T)}
    # the record UNCALCED in place of another of no meaning here, of the same size
    body = patched(data, 0x809, by_excel)
    place = body.index(struct.pack("<HH", 0x0D, 2))
    assert cells(read_xls(body[:place] + struct.pack("<H", 0x5E) + body[place + 2 :])[0]) == {
        "A1": ("x", T),
        "A2": ("", U),
    }


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (struct.pack("<d", 488.0), ("488", N)),
        (b"\x01\0\x01\0\0\0\xff\xff", ("true", L)),
        (b"\x02\0\x17\0\0\0\xff\xff", ("#REF!", E)),
        (b"\0\0\0\0\0\0\xff\xff", ("", U)),  # a text is announced, and none follows
    ],
)
def test_results_of_formulas(result: bytes, expected: tuple[str, int]) -> None:
    data = patched(saved(book(xlwt.Formula("1+1"))), 0x06, lambda body: body[:6] + result + body[14:])
    assert cells(read_xls(data)[0]) == {"A1": expected}


def test_the_text_of_a_formula_follows_it() -> None:
    body = patched(saved(book(xlwt.Formula("1+1"))), 0x06, lambda b: b[:6] + b"\0\0\0\0\0\0\xff\xff" + b[14:])
    text = "Nà Lụa"
    string = struct.pack("<HHHB", 0x207, 3 + 2 * len(text), len(text), 1) + text.encode("utf-16-le")
    at = body.rindex(struct.pack("<HHH", 0x06, 22 + 7, 0)) + 4 + 22 + 7  # behind the formula 1+1 of seven bytes
    assert cells(read_xls(body[:at] + string + body[at:])[0]) == {"A1": (text, T)}


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (123, "00000", ("00123", N)),
        (46203, "dd/mm/yyyy", ("2026-06-30", D)),
        (46203.5, "dd/mm/yyyy hh:mm", ("2026-06-30T12:00:00", D)),
        (0.25, "hh:mm", ("06:00:00", T)),
        (0.5, "0%", ("0.5", N)),
        (1234567.0, "#,##0", ("1234567", N)),
        (12, '0 "hộ"', ("12", N)),
        (0.1 + 0.2, "General", ("0.30000000000000004", N)),
        (-12.34, "General", ("-12.34", N)),
        (1e20, "General", ("1e+20", N)),
    ],
)
def test_number_formats(value: float, number_format: str, expected: tuple[str, int]) -> None:
    assert read(value, number_format=number_format) == [expected]


def test_both_day_systems() -> None:
    assert read(datetime(2026, 6, 30, 8, 5), number_format="d/m/yyyy h:mm") == [("2026-06-30T08:05:00", D)]
    assert read(44741, number_format="d/m/yyyy", dates_1904=True) == [("2026-06-30", D)]
    assert read(date(2026, 6, 30), number_format="d/m/yyyy") == [("2026-06-30", D)]


def test_packed_numbers() -> None:
    values = [0, 1, -1, 536870911, -536870912, 12.34, -0.01, 1e100, 100.5]
    made = xlwt.Workbook()
    sheet = made.add_sheet("a")
    for column, value in enumerate(values):
        sheet.write(0, column, value)
    (grid,) = read_xls(saved(made))
    assert [float(t) for t, _ in cells(grid).values()] == values


def test_texts_over_the_borders_of_records() -> None:
    texts = (
        ["ừ" * 4_000 + str(n) for n in range(9)]
        + ["a" * 9_000 + "Đ" + str(n) for n in range(5)]
        + ["\U0001d11e" * 5_000]
    )
    assert read(*texts) == [(t, T) for t in texts]


def test_hidden_merged_and_bold() -> None:
    made = xlwt.Workbook(encoding="utf-8")
    sheet = made.add_sheet("Thôn")
    bold = xlwt.easyxf("font: bold on")
    sheet.write_merge(0, 1, 0, 2, "Tên", bold)
    sheet.write(2, 0, "x", bold)
    sheet.write(2, 1, "y")
    sheet.write(3, 0, "z")
    sheet.row(3).hidden = True
    secret = made.add_sheet("Ẩn")
    secret.write(0, 0, 1)
    secret.visibility = 2
    first, second = read_xls(saved(made))
    assert (first.merged, first.bold_rows, first.hidden_rows) == (((1, 1, 2, 3),), frozenset({1}), (4,))
    assert [(g.name, g.index, g.hidden) for g in (first, second)] == [("Thôn", 0, False), ("Ẩn", 1, True)]


def test_chart_sheets_are_left_out() -> None:
    made = book("x")
    made.add_sheet("Biểu đồ").write(0, 0, 1)
    kinds = iter((0, 2))

    def second_is_a_chart(body: bytes) -> bytes:
        return body[:5] + bytes([next(kinds)]) + body[6:]

    assert [g.name for g in read_xls(patched(saved(made), 0x85, second_is_a_chart))] == ["Thôn"]


def biff5(text: bytes, codepage: int = 1258, font: bytes = b"") -> bytes:
    """A workbook of Excel 5 from its records."""

    def record(number: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", number, len(body)) + body

    begin = record(0x809, struct.pack("<HHHH", 0x500, 5, 0, 0)) + record(0x42, struct.pack("<H", codepage))
    begin += (record(0x31, font) if font else b"") + record(0xE0, bytes(16))
    sheet = record(0x809, struct.pack("<HHHH", 0x500, 0x10, 0, 0))
    sheet += record(0x204, struct.pack("<HHHH", 0, 0, 0, len(text)) + text)
    sheet += record(0x203, struct.pack("<HHHd", 1, 0, 0, 120.0)) + record(0x0A)
    bound = struct.pack("<IBB", len(begin) + 4 + 6 + 6 + 4, 0, 0) + b"\x05Th\xf4n1"
    return begin + record(0x85, bound) + record(0x0A) + sheet


def test_excel_5_with_its_code_page() -> None:
    (grid,) = read_xls(biff5("Nà".encode("cp1258")))
    assert (grid.name, cells(grid)) == ("Thôn1", {"A1": ("Nà", T), "A2": ("120", N)})
    # what a code page does not define is kept: a font of the time may show it
    assert cells(read_xls(biff5(b"\x81\xa8", 1252))[0])["A1"] == ("\x81\xa8", T)
    assert cells(read_xls(biff5(b"N\xe0", 64_999))[0])["A1"] == ("Nà", T)


def test_a_password_and_what_is_older_than_excel_5() -> None:
    data = stream(saved(book("x")))
    begin = 4 + struct.unpack_from("<H", data, 2)[0]
    assert code(data[:begin] + struct.pack("<HHHHH", 0x2F, 6, 0, 1, 2) + data[begin:]) == "PASSWORD"
    assert code(b"\x09\x00\x04\x00\x02\x00\x10\x00" + bytes(20)) == "UNSUPPORTED_FORMAT"


def test_cut_off_and_looped_containers() -> None:
    data = saved(book(*(f"Thôn {n}" for n in range(2_000))))
    assert code(data[: len(data) // 2]) == "DAMAGED_WORKBOOK"
    whole = bytearray(stream(data))
    assert code(bytes(whole[: whole.rindex(b"\x0a\0\0\0")])) == "DAMAGED_WORKBOOK"
    looped = bytearray(data)
    (table,) = struct.unpack_from("<I", data, 76)
    struct.pack_into("<I", looped, (table + 1) * 512, 0)  # the first sector follows itself
    assert code(bytes(looped)) == "DAMAGED_WORKBOOK"


@pytest.mark.parametrize(
    "limits",
    [Limits(cells=3), Limits(columns=1), Limits(rows=1), Limits(shared_strings=1), Limits(text_bytes=3)],
)
def test_bounds(limits: Limits) -> None:
    made = xlwt.Workbook()
    sheet = made.add_sheet("a")
    for row in range(2):
        for column in range(2):
            sheet.write(row, column, f"t{row}{column}")
    assert code(saved(made), limits) == "TOO_LARGE"


def test_a_far_off_cell_costs_one_cell() -> None:
    made = book("x")
    made.get_sheet(0).write(65_535, 255, 7)
    grid: Grid = read_xls(saved(made))[0]
    assert grid.frame.shape == (2, 5) and cells(grid)["IV65536"] == ("7", N)
