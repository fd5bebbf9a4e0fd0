"""Reading .xlsb bytes: kinds of cells, formats, what is hidden, damage; the same file read by two other programs."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
import python_calamine
import pyxlsb

from assets.intake.workbook import Limits
from assets.intake.xlsb import read_xlsb
from schemas.grid import Kind, Unreadable

from .books import record, wide, xlsb_cell, xlsb_package, xlsb_row, zipped
from .test_readers import cells

B, T, N, D, L, E, U, *_ = (int(k) for k in Kind)


def style(*formats: int, bold: bool = False) -> bytes:
    font = struct.pack("<HHHHBBBB8xB", 220, 0, 700 if bold else 400, 0, 0, 0, 0, 0, 0) + wide("Arial")
    code = record(44, struct.pack("<H", 164) + wide("00000"))
    xfs = b"".join(record(47, struct.pack("<HHH10x", 0, f, 0)) for f in formats)
    return code + record(43, font) + record(617, struct.pack("<I", len(formats))) + xfs + record(618)


def double(value: float) -> bytes:
    return struct.pack("<d", value)


def code(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        read_xlsb(data, limits)
    return caught.value.problem.code


def test_each_kind_of_cell() -> None:
    row = xlsb_row(
        3,
        xlsb_cell(1, 1, b""),
        xlsb_cell(2, 2, struct.pack("<I", 120 << 2 | 2)),
        xlsb_cell(3, 3, b"\x17"),
        xlsb_cell(4, 4, b"\1"),
        xlsb_cell(5, 5, double(0.1)),
        xlsb_cell(6, 6, wide("Nà Lụa")),
        xlsb_cell(7, 7, struct.pack("<I", 1)),
        xlsb_cell(8, 8, wide("kết quả") + bytes(10)),
        xlsb_cell(9, 9, double(12) + bytes(10)),
        xlsb_cell(10, 10, b"\0" + bytes(10)),
        xlsb_cell(11, 11, b"\x2a" + bytes(10)),
        xlsb_cell(62, 12, b"\1" + wide("đậm") + bytes(8)),
    )
    shared = record(19, b"\0" + wide("không")) + record(19, b"\1" + wide("Đào") + struct.pack("<IHH", 1, 0, 0))
    data = xlsb_package(row, styles=style(0), shared=shared)
    (grid,) = read_xlsb(data)
    assert cells(grid) == {
        "B3": ("120", N), "C3": ("#REF!", E), "D3": ("true", L), "E3": ("0.1", N), "F3": ("Nà Lụa", T), "G3": ("Đào", T),
        "H3": ("kết quả", T), "I3": ("12", N), "J3": ("false", L), "K3": ("#N/A", E), "L3": ("đậm", T),
    }  # fmt: skip


def test_two_other_programs_read_the_same_file_so() -> None:
    row = xlsb_row(
        1,
        xlsb_cell(7, 1, bytes(4)),
        xlsb_cell(2, 2, struct.pack("<I", 120 << 2 | 2)),
        xlsb_cell(5, 3, double(2.5)),
    )
    row += xlsb_row(300, xlsb_cell(4, 1, b"\1"))
    package = package_with(record(148, struct.pack("<4I", 0, 299, 0, 2)), row)
    assert {k: v for k, (v, _) in cells(read_xlsb(package)[0]).items()} == {
        "A1": "Nà Lụa", "B1": "120", "C1": "2.5", "A300": "true"
    }  # fmt: skip
    other = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(package)).get_sheet_by_index(0).to_python()
    assert (other[0], other[-1][0]) == (["Nà Lụa", 120.0, 2.5], True)
    with pyxlsb.open_workbook(io.BytesIO(package)) as opened, opened.get_sheet(1) as sheet:
        found = {(c.r, c.c): c.v for line in sheet.rows() for c in line if c.v is not None}
    assert found == {(0, 0): "Nà Lụa", (0, 1): 120.0, (0, 2): 2.5, (299, 0): True}


def package_with(dimension: bytes, rows: bytes) -> bytes:
    """With the sheet's extent before its rows, which both ask for, and with a shared text: pyxlsb knows no others."""
    shared = record(19, b"\0" + wide("Nà Lụa"))
    with zipfile.ZipFile(io.BytesIO(xlsb_package(rows, styles=style(0), shared=shared, count=1))) as package:
        parts = {n: package.read(n) for n in package.namelist()}
    parts["xl/worksheets/sheet1.bin"] = record(129) + dimension + record(145) + rows + record(146) + record(130)
    return zipped(**parts)


def test_dates_in_both_systems_and_padded_numbers() -> None:
    row = xlsb_row(1, xlsb_cell(5, 1, double(46203), 1), xlsb_cell(5, 2, double(123), 2))
    assert cells(read_xlsb(xlsb_package(row, styles=style(0, 14, 164)))[0]) == {
        "A1": ("2026-06-30", D), "B1": ("00123", N)
    }  # fmt: skip
    in_1904 = xlsb_package(
        xlsb_row(1, xlsb_cell(5, 1, double(44741), 1)),
        book=record(153, struct.pack("<II", 1, 0) + wide("")), styles=style(0, 14),
    )  # fmt: skip
    assert cells(read_xlsb(in_1904)[0]) == {"A1": ("2026-06-30", D)}


def test_hidden_merged_and_bold() -> None:
    rows = xlsb_row(1, xlsb_cell(6, 1, wide("Tên"))) + xlsb_row(2, xlsb_cell(6, 1, wide("x")), hidden=True)
    merged = record(146) + record(176, struct.pack("<4I", 0, 0, 0, 3)) + record(145)
    (grid,) = read_xlsb(xlsb_package(rows + merged, styles=style(0, bold=True), state=2))
    assert (grid.name, grid.hidden, grid.hidden_rows) == ("Thôn", True, (2,))
    assert (grid.merged, grid.bold_rows) == (((1, 1, 1, 4),), frozenset({1, 2}))


def test_damage() -> None:
    sound = xlsb_row(1, xlsb_cell(6, 1, wide("Tên")))
    for rows in (
        xlsb_row(1, xlsb_cell(7, 1, struct.pack("<I", 9))),  # no such shared text
        xlsb_row(1, xlsb_cell(6, 1, struct.pack("<I", 1 << 30))),  # a text beyond its record
        xlsb_row(1, xlsb_cell(3, 1, b"\x99")),  # no such error
        sound[:-3],
    ):
        assert code(xlsb_package(rows)) == "DAMAGED_WORKBOOK"


@pytest.mark.parametrize("limits", [Limits(cells=3), Limits(columns=1), Limits(rows=1), Limits(unpacked_bytes=200)])
def test_bounds(limits: Limits) -> None:
    rows = b"".join(xlsb_row(r, *(xlsb_cell(6, c, wide("x")) for c in (1, 2))) for r in (1, 2))
    assert code(xlsb_package(rows), limits) == "TOO_LARGE"


def test_a_far_off_cell_costs_one_cell() -> None:
    (grid,) = read_xlsb(xlsb_package(xlsb_row(1_048_576, xlsb_cell(5, 16_384, double(7)))))
    assert grid.frame.shape == (1, 3)
