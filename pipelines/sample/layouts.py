"""The shapes in which communes send the list of their villages, and where each line then stands.

Belongs here: one function per shape, from lines to sheets or text. Does not belong here: which commune uses which
shape, what the lines say, what is wrong with them.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO

from .workbook import Formula, Sheet, Value, write_workbook
from .world import Besides

ROMAN = ("I", "II", "III", "IV")


@dataclass(frozen=True)
class Line:
    """One data row as the sender writes it. ``kind``: THON or TDP; ``fault``: the code that it must get, if any."""

    commune: str
    name: str | None
    kind: str
    households: Value
    population: Value
    fault: str | None = None
    aside: str | None = None
    """Reason for which it is set aside (OUT_OF_SCOPE, REPEAT)."""
    predecessors: str | None = None
    """What it says that it succeeds to."""
    besides: Besides | None = None
    """What the list says besides, in the shapes that have columns for it."""


@dataclass(frozen=True)
class Report:
    """What one file is to say, whatever its shape.

    ``stated``: the date in the title of a printed form; ``short``: the sender writes TDP rather than Tổ dân phố;
    ``odd_total``: added to the stated grand total of households; ``headers``: replaced header texts.
    """

    commune_name: str
    lines: Sequence[Line]
    stated: date
    sent: datetime
    short: bool = False
    odd_total: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, text: str) -> str:
        """The header text, unless this report replaces it."""
        return self.headers.get(text, text)

    def kind(self, line: Line) -> str:
        """The type of a village in the sender's words."""
        return "Thôn" if line.kind == "THON" else "TDP" if self.short else "Tổ dân phố"


@dataclass(frozen=True)
class Written:
    """A file and the place (sheet, row) of each of its lines; the sheet of a CSV is ''."""

    data: bytes
    suffix: str
    places: list[tuple[str, int]]


def _table(
    sheet: Sheet, report: Report, columns: Sequence[tuple[str, Callable[[int, Line], Value]]],
    lines: Sequence[Line], row: int = 1, column: int = 1,
) -> list[tuple[str, int]]:  # fmt: skip
    """A header row and the lines below it; returns the lines' places."""
    sheet.put(row, column, *(report.header(text) for text, _ in columns))
    for number, line in enumerate(lines, 1):
        sheet.put(row + number, column, *(value(number, line) for _, value in columns))
    return [(sheet.title, row + number) for number in range(1, len(lines) + 1)]


def _book(report: Report, places: list[tuple[str, int]], *sheets: Sheet) -> Written:
    return Written(write_workbook(list(sheets), report.sent), ".xlsx", places)


def _columns(report: Report) -> list[tuple[str, Callable[[int, Line], Value]]]:
    return [
        ("Mã xã", lambda _, line: line.commune),
        ("Tên thôn", lambda _, line: line.name),
        ("Loại", lambda _, line: report.kind(line)),
        ("Số hộ", lambda _, line: line.households),
        ("Số khẩu", lambda _, line: line.population),
        *_besides(report),
    ]


_REGIONS = {"DONG_BANG": "Đồng bằng", "MIEN_NUI": "Miền núi", "BIEN_GIOI_HAI_DAO": "Hải đảo"}


def _besides(report: Report) -> list[tuple[str, Callable[[int, Line], Value]]]:
    """The columns besides, where the lines have something for them."""
    if all(line.besides is None for line in report.lines):
        return []

    def of(said: Callable[[Besides], Value]) -> Callable[[int, Line], Value]:
        return lambda _, line: said(line.besides) if line.besides else None

    return [
        ("Vùng", of(lambda b: _REGIONS[b.region])),
        ("Người hoạt động KCT", of(lambda b: b.non_professional_workers)),
        ("Số người kiêm nhiệm", of(lambda b: b.concurrent_workers)),
        ("Đặc thù", of(lambda b: "x" if b.is_special else None)),
        ("Tổ CNSCĐ", of(lambda b: "có" if b.has_digital_team else "không")),
    ]


def _numbered(report: Report) -> list[tuple[str, Callable[[int, Line], Value]]]:
    return [("STT", lambda number, _: number), *_columns(report)]


def plain(report: Report) -> Written:
    """The table of the province's template, nothing else; where there is something to say, with whom villages succeed to."""
    sheet = Sheet("Sheet1")
    columns = _columns(report)
    if any(line.predecessors for line in report.lines):
        columns.append(("Kế thừa từ", lambda _, line: line.predecessors))
    return _book(report, _table(sheet, report, columns, report.lines), sheet)


def moved(report: Report) -> Written:
    """Columns in another order and under other names, among columns that nobody asked for."""
    known = dict(_columns(report))
    columns: list[tuple[str, Callable[[int, Line], Value]]] = [
        ("STT", lambda number, _: number),
        ("Nhân khẩu", known["Số khẩu"]),
        ("Tên thôn, TDP", known["Tên thôn"]),
        ("Số hộ nghèo", lambda number, _: number % 7),
        ("Tổng số hộ gia đình", known["Số hộ"]),
        ("Loại hình", known["Loại"]),
        ("Diện tích (ha)", lambda number, _: 40.5 + number * 3),
        ("Mã xã", known["Mã xã"]),
        *_besides(report),
        ("Ghi chú", lambda number, _: "rà soát lại" if number % 9 == 4 else None),
    ]
    sheet = Sheet("Thon")
    return _book(report, _table(sheet, report, columns, report.lines), sheet)


def offset(report: Report) -> Written:
    """The first column and the first row are empty; no commune code."""
    sheet = Sheet("Trang tính1")
    columns = [c for c in _numbered(report) if c[0] != "Mã xã"]
    return _book(report, _table(sheet, report, columns, report.lines, row=2, column=2), sheet)


def form(report: Report) -> Written:
    """The printed form: motto, title, merged two-row header, numbering row, sections, totals, signatures."""
    sheet = Sheet("Biểu 01")
    name = report.commune_name.split(maxsplit=1)[-1] if " " in report.commune_name else report.commune_name
    place = f"{name}, ngày {report.sent.day:02} tháng {report.sent.month:02} năm {report.sent.year}"
    dated_above = len(report.commune_name) % 2 == 0
    sheet.put(1, 1, "ỦY BAN NHÂN DÂN")
    sheet.put(1, 4, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")
    sheet.put(2, 1, report.commune_name.upper())
    sheet.put(2, 4, "Độc lập - Tự do - Hạnh phúc")
    sheet.put(3, 1, f"Số: {report.sent.day + 30}/BC-UBND")
    if dated_above:
        sheet.put(3, 4, place)
    sheet.put(5, 1, "BÁO CÁO SỐ THÔN, TỔ DÂN PHỐ, SỐ HỘ VÀ SỐ KHẨU")
    sheet.put(6, 1, f"(Số liệu tính đến ngày {report.stated:%d/%m/%Y})")
    sheet.put(7, 5, "Đơn vị tính: hộ, người")
    sheet.put(8, 1, "STT", "Tên thôn, tổ dân phố", "Loại hình", "Quy mô", None, "Ghi chú")
    sheet.put(9, 4, "Số hộ", "Số khẩu")
    sheet.put(10, 1, "(1)", "(2)", "(3)", "(4)", "(5)", "(6)")
    sheet.merged += ["A1:C1", "D1:F1", "A2:C2", "D2:F2", "D3:F3", "A5:F5", "A6:F6"]
    sheet.merged += ["A8:A9", "B8:B9", "C8:C9", "D8:E8", "F8:F9"]
    sheet.bold_rows |= {1, 2, 5, 8, 9}
    row, places = 11, dict[int, tuple[str, int]]()
    for section, (title, part) in enumerate(_sections(report.lines)):
        sheet.put(row, 1, ROMAN[section], title)
        sheet.bold_rows.add(row)
        for number, index in enumerate(part, 1):
            line = report.lines[index]
            row += 1
            sheet.put(row, 1, number, line.name, report.kind(line), line.households, line.population)
            places[index] = (sheet.title, row)
        row += 1
        counted = [report.lines[i] for i in part]
        sheet.put(row, 2, "Cộng", None, _sum(counted, "households"), _sum(counted, "population"))
        sheet.bold_rows.add(row)
        row += 1
    grand = _sum(report.lines, "households") + report.odd_total
    sheet.put(row, 2, "Tổng cộng", None, grand, _sum(report.lines, "population"))
    sheet.bold_rows.add(row)
    if not dated_above:
        sheet.put(row + 2, 4, place)
    sheet.put(row + 3, 2, "NGƯỜI LẬP BIỂU", None, "TM. ỦY BAN NHÂN DÂN")
    sheet.put(row + 4, 2, "(Ký, ghi rõ họ tên)", None, "CHỦ TỊCH")
    sheet.put(row + 8, 1, "Nơi nhận:")
    sheet.put(row + 9, 1, "- Như trên;")
    sheet.put(row + 10, 1, "- Lưu: VT.")
    return _book(report, [places[i] for i in range(len(report.lines))], sheet)


def _sections(lines: Sequence[Line]) -> Iterator[tuple[str, list[int]]]:
    """Sections by type where there are both, else by area; of at least one line each."""
    kinds = {"THON": "CÁC THÔN", "TDP": "CÁC TỔ DÂN PHỐ"}
    parts = [(title, [i for i, line in enumerate(lines) if line.kind == kind]) for kind, title in kinds.items()]
    if not all(part for _, part in parts):
        half = (len(lines) + 1) // 2
        parts = [("KHU VỰC TRUNG TÂM", [*range(half)]), ("KHU VỰC XA TRUNG TÂM", [*range(half, len(lines))])]
    yield from ((title, part) for title, part in parts if part)


def _sum(lines: Sequence[Line], column: str) -> int:
    """The total that the sender states: over the cells that hold a whole number."""
    values = [getattr(line, column) for line in lines]
    return sum(v for v in values if isinstance(v, int))


def form3(report: Report) -> Written:
    """A header of three merged rows, with a part of the households beside the whole."""
    sheet = Sheet("Tổng hợp")
    sheet.put(1, 1, "STT", "Đơn vị", None, None, "Quy mô đến cuối quý")
    sheet.put(2, 2, "Mã xã", "Thôn, tổ dân phố", None, "Hộ", None, "Khẩu")
    sheet.put(3, 3, "Tên thôn", "Loại hình", "Số hộ", "Trong đó: hộ nghèo", "Số khẩu")
    sheet.merged += ["A1:A3", "B1:D1", "E1:G1", "B2:B3", "C2:D2", "E2:F2"]
    sheet.bold_rows |= {1, 2, 3}
    for number, line in enumerate(report.lines, 1):
        sheet.put(
            3 + number, 1, number, line.commune, line.name, report.kind(line), line.households, number % 5,
            line.population,
        )  # fmt: skip
    return _book(report, [(sheet.title, 3 + n) for n in range(1, len(report.lines) + 1)], sheet)


def csv_semicolon(report: Report) -> Written:
    """CSV as a Vietnamese Excel saves it: byte order mark, ';', CRLF."""
    return _csv(report, _numbered(report), ";", "\ufeff", "\r\n")


def csv_comma(report: Report) -> Written:
    """CSV as a program exports it: no mark, ',', LF; no commune code."""
    return _csv(report, [c for c in _columns(report) if c[0] != "Mã xã"], ",", "", "\n")


def _csv(
    report: Report, columns: Sequence[tuple[str, Callable[[int, Line], Value]]], separator: str, mark: str, newline: str
) -> Written:
    text = StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=newline)
    writer.writerow(report.header(title) for title, _ in columns)
    for number, line in enumerate(report.lines, 1):
        writer.writerow(value(number, line) for _, value in columns)
    places = [("", number + 1) for number in range(1, len(report.lines) + 1)]
    return Written((mark + text.getvalue()).encode(), ".csv", places)


def nfd(report: Report) -> Written:
    """From another system: every text decomposed, no-break and zero-width spaces in headers and cells."""
    sheet = Sheet("Sheet1")
    columns = [(title.replace(" ", "\u00a0"), value) for title, value in _numbered(report)]
    places = _table(sheet, report, columns, report.lines)
    for (row, column), value in sheet.cells.items():
        if isinstance(value, str):
            if row > 1 and column == 2:
                value = f"\u200b{value}\u00a0"
            elif row > 1 and column == 3:
                value = f"  {value}\u00a0" if row % 2 else value.replace(" ", "\u00a0", 1) + " \u200b"
            sheet.cells[row, column] = unicodedata.normalize("NFD", value)
    return _book(report, places, sheet)


def text_numbers(report: Report) -> Written:
    """Every number is a text in Vietnamese form: '1.234', ' 98 '."""
    sheet = Sheet("DS thôn")
    places = _table(sheet, report, _numbered(report), report.lines)
    for (row, column), value in sheet.cells.items():
        if isinstance(value, int) and column > 1:
            text = f"{value:,}".replace(",", ".")
            sheet.cells[row, column] = f" {text} " if (row + column) % 5 == 0 else text
    return _book(report, places, sheet)


def formulas(report: Report) -> Written:
    """Totals, and here and there a figure, are formulas whose results are stored."""
    sheet = Sheet("Sheet1")
    columns = [c for c in _numbered(report) if c[0] != "Mã xã"]
    places = _table(sheet, report, columns, report.lines)
    for row in range(3, len(report.lines) + 2, 4):
        value = sheet.cells.get((row, 5))
        if isinstance(value, int):
            sheet.cells[row, 5] = Formula(f"={value - 3}+3", value)
    last = len(report.lines) + 1
    sheet.put(
        last + 1, 2, "Tổng cộng", None,
        Formula(f"=SUM(D2:D{last})", _sum(report.lines, "households") + report.odd_total),
        Formula(f"=SUM(E2:E{last})", _sum(report.lines, "population")),
    )  # fmt: skip
    sheet.bold_rows |= {1, last + 1}
    return _book(report, places, sheet)


def halves(report: Report) -> Written:
    """The villages on two sheets, and a hidden sheet with an older state of the first one that nobody means to send."""
    half = (len(report.lines) + 1) // 2
    first, second, old = Sheet("Thôn (1)"), Sheet("Thôn (2)"), Sheet("Lưu cũ", hidden=True)
    places = _table(first, report, _columns(report), report.lines[:half])
    places += _table(second, report, _columns(report), report.lines[half:])
    _table(old, report, _columns(report), report.lines[:half])
    for (row, column), value in old.cells.items():
        if isinstance(value, int):
            old.cells[row, column] = value - (column == 5) * 2 - 1
    return _book(report, places, first, second, old)


SHAPES: Mapping[str, Callable[[Report], Written]] = {
    shape.__name__: shape
    for shape in (
        plain, form, moved, offset, form3, csv_semicolon, csv_comma, nfd, text_numbers, formulas, halves
    )
}  # fmt: skip
"""All shapes by name."""

WITH_CODE = frozenset({"plain", "moved", "form3", "csv_semicolon", "nfd", "text_numbers", "halves"})
"""Shapes that have a column with the commune's code."""

WITHOUT_BESIDES = frozenset({"form", "form3"})
"""Shapes that have no columns for what a list may say besides."""

WORKBOOKS = frozenset(SHAPES) - {"csv_semicolon", "csv_comma"}
"""Shapes that are workbooks, and so can hold error cells and formulas."""

WARNINGS: Mapping[str, tuple[str, ...]] = {"halves": ("HIDDEN_SHEET",)}
"""What must be said about every file of a shape."""
