"""Our readers beside the libraries that read the same formats: seconds in one process, and what each tells apart.

``python -m tests.benchmarks.readers [--json] [--repeat N]``. The outcome is in docs/decisions/0005-readers.md.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import python_calamine
import pyxlsb
import xlrd
import xlwt
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from assets.intake.readers import reader
from schemas.grid import KIND, Kind
from tests.assets.intake import books

from .measure import goal, report

Cell = tuple[Any, ...]
COLUMNS = 10


def table(rows: int) -> list[list[Any]]:
    """Names, codes as text, and figures, as lists of communes hold them."""
    head = [f"Cột {n}" for n in range(COLUMNS)]
    return [head, *([f"Thôn {n}", f"{n:05d}", *(n * k % 997 + k / 4 for k in range(COLUMNS - 2))] for n in range(rows))]


def _openpyxl(data: bytes) -> Any:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


def _calamine(data: bytes) -> Any:
    return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def _xlrd(data: bytes) -> Any:
    with open(os.devnull, "w") as nowhere:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=nowhere)
    return [book.sheet_by_index(0).row_values(n) for n in range(book.sheet_by_index(0).nrows)]


def _pyxlsb(data: bytes) -> Any:
    with pyxlsb.open_workbook(io.BytesIO(data)) as book, book.get_sheet(1) as sheet:
        return [[cell.v for cell in row] for row in sheet.rows()]


OTHERS: dict[str, dict[str, Callable[[bytes], Any]]] = {
    "xlsx": {"openpyxl": _openpyxl, "calamine": _calamine},
    "xls": {"xlrd": _xlrd, "calamine": _calamine},
    "ods": {"calamine": _calamine},
}


def seconds(run: Callable[[bytes], Any], data: bytes, repeat: int) -> float:
    """Median of ``repeat`` runs after one that is not counted."""
    taken = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        run(data)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


# ---------------------------------------------------------------------------------------------------- what is told apart

SEEN = ("blank", "error", "never calculated", "date", "day system 1904", "padded 00123", "row hidden", "merged")


def _xlsx_probe(date_1904: bool) -> bytes:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904 if date_1904 else book.epoch
    sheet = book.active
    for column, (value, code) in enumerate(
        [("x", None), ("#REF!", None), ("=A1", None), (date(2026, 6, 30), "dd/mm/yyyy"), (123, "00000")], 1
    ):
        sheet.cell(1, column, value).number_format = code or "General"
    sheet.cell(2, 6, 1)
    sheet.row_dimensions[2].hidden = True
    sheet.merge_cells("A1:A2")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xls_probe(date_1904: bool) -> bytes:
    book = xlwt.Workbook()
    book.dates_1904 = date_1904
    sheet = book.add_sheet("a")
    sheet.write_merge(0, 1, 0, 0, "x")
    sheet.row(0).set_cell_error(1, "#REF!")
    sheet.write(0, 2, xlwt.Formula("A1"))
    sheet.write(0, 3, 44741 if date_1904 else 46203, xlwt.easyxf(num_format_str="dd/mm/yyyy"))
    sheet.write(0, 4, 123, xlwt.easyxf(num_format_str="00000"))
    sheet.write(1, 5, 1)
    sheet.row(1).hidden = True
    return books.saved(book)


def _ours_sees(kind: str, data: bytes) -> tuple[list[Any], bool, bool]:
    grid = reader(kind)(data)[0]
    row = grid.frame.row(0, named=True)
    cells: list[Any] = [None] * 6
    for n, letter in enumerate("ABCDEF"):
        if letter in row and row[letter + KIND] != Kind.BLANK:
            uncalculated = row[letter + KIND] == Kind.UNCALCULATED
            cells[n] = "never calculated" if uncalculated else row[letter]
    return cells, bool(grid.hidden_rows), bool(grid.merged)


def _openpyxl_sees(_: str, data: bytes) -> tuple[list[Any], bool, bool]:
    stored = openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
    formulas = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    cells = [stored.cell(1, n + 1).value for n in range(6)]
    if cells[2] is None and formulas.cell(1, 3).value is not None:
        cells[2] = "never calculated"
    return cells, formulas.row_dimensions[2].hidden, bool(formulas.merged_cells.ranges)


def _calamine_sees(_: str, data: bytes) -> tuple[list[Any], bool, bool]:
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    row = [v if v != "" else None for v in sheet.to_python(skip_empty_area=False)[0]]
    return [*row, None], False, bool(sheet.merged_cell_ranges)


def _xlrd_sees(_: str, data: bytes) -> tuple[list[Any], bool, bool]:
    with open(os.devnull, "w") as nowhere:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=nowhere)
    sheet = book.sheet_by_index(0)
    cells: list[Any] = []
    for cell in sheet.row(0):
        if cell.ctype == xlrd.XL_CELL_DATE:
            cells.append(xlrd.xldate_as_datetime(cell.value, book.datemode))
        else:
            cells.append(f"error {cell.value}" if cell.ctype == xlrd.XL_CELL_ERROR else cell.value or None)
    return cells, bool(sheet.rowinfo_map[1].hidden), bool(sheet.merged_cells)


def told_apart(kind: str, sees: Callable[[str, bytes], tuple[list[Any], bool, bool]]) -> dict[str, bool]:
    """Which of :data:`SEEN` a reader tells from what it could be taken for."""
    probe = {"xlsx": _xlsx_probe, "xls": _xls_probe}[kind]
    cells, hidden, merged = sees(kind, probe(False))
    later, _, _ = sees(kind, probe(True))
    blank = None
    return dict(
        zip(
            SEEN,
            (
                cells[5] is blank, cells[1] is not blank, cells[2] is not blank, str(cells[3]).startswith("2026-06-30"),
                str(later[3]).startswith("2026-06-30"), cells[4] == "00123", hidden, merged,
            ),
            strict=True,
        )
    )  # fmt: skip


READERS: dict[str, dict[str, Callable[[str, bytes], tuple[list[Any], bool, bool]]]] = {
    "xlsx": {"ours": _ours_sees, "openpyxl": _openpyxl_sees, "calamine": _calamine_sees},
    "xls": {"ours": _ours_sees, "xlrd": _xlrd_sees, "calamine": _calamine_sees},
}


def measure(repeat: int) -> dict[str, Any]:
    """Seconds by format, size and reader; what each reader tells apart."""
    write = {"xlsx": books.xlsx, "xls": books.xls, "ods": books.ods}
    figures: dict[str, Any] = {}
    ratios: dict[str, float] = {}
    for rows in (60, 20_000):
        for kind, others in OTHERS.items():
            data = write[kind](table(rows))
            taken = {"ours": seconds(reader(kind), data, repeat)}
            taken |= {name: seconds(run, data, repeat) for name, run in others.items()}
            figures[f".{kind}, {rows} rows, ms"] = {name: round(s * 1e3, 1) for name, s in taken.items()}
            ratios |= {f"{kind} {rows} {name}": taken["ours"] / s for name, s in taken.items()}
    data = books.xlsb(table(20_000))  # its texts are in no shared table: the other two do not read them
    figures[".xlsb, 20000 rows, ms"] = {"ours": round(seconds(reader("xlsb"), data, repeat) * 1e3, 1)}
    for kind, readers in READERS.items():
        for name, sees in readers.items():
            lost = [what for what, kept in told_apart(kind, sees).items() if not kept]
            figures[f".{kind}, {name} loses"] = ", ".join(lost) or "nothing"
    return {
        "goals": [
            goal("a small .xlsx, ours / openpyxl", ratios["xlsx 60 openpyxl"], most=1),
            goal("a large .xlsx, ours / openpyxl", ratios["xlsx 20000 openpyxl"], most=1),
            goal("a large .xls, ours / xlrd with formats", ratios["xls 20000 xlrd"], most=1.5),
        ],
        "figures": figures,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    report("Readers of workbooks", measure(asked.repeat), asked.json)


if __name__ == "__main__":
    main()
