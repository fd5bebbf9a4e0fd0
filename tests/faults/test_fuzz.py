"""Bounded fuzzing of reading and cleaning, and what longer runs have found (``tests/faults/fuzz.py``)."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from tests.e2e.flows import text_csv, workbook
from tests.faults.fuzz import fuzz, made, run_one, seeds

HEAD = ["Tên thôn", "Số hộ", "Số khẩu"]


def _packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


def test_damaged_files_of_every_format_are_answered() -> None:
    tally = fuzz(seed=20261126, first=0, inputs=300, processes=1, progress=lambda _: None)
    assert (tally.finds, tally.inputs) == ({}, 300)
    assert tally.outcomes["read"] > 10 and len(tally.outcomes) > 8  # the inputs are neither all sound nor all broken


def test_sound_seeds_are_read_or_refused_with_a_code() -> None:
    words = {name: run_one(name, data, 0) for name, data in seeds()}
    assert words["thon.xlsx"] == words["thon.xls"] == words["thon.csv"] == words["thon.ods"] == "read"


def test_an_input_is_the_same_each_time() -> None:
    assert made(1, 7) == made(1, 7) != made(1, 8)


def test_a_zip_of_a_csv_and_a_workbook() -> None:
    rows = [HEAD, ["Thôn Một", 1, 2]]
    assert run_one("a.zip", _packed(a_csv=text_csv(rows), b_xlsx=workbook(rows)), 0) == "read"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 40_000,
        "1" * 40_000 + "x",
        "1" * 40_000,
        "(" * 40_000,
        " " * 40_000 + "x",
        "5/6/2026 " * 5_000,
        "Tổng " * 9_000,
    ],
)
@pytest.mark.parametrize("place", ["title", "header", "label", "figure"])
def test_a_text_without_end_takes_no_squared_time(text: str, place: str) -> None:
    rows = [["Biểu 1"], [*HEAD, "Ghi chú"], ["Thôn Một", "1", "2", ""], ["Thôn Hai", "3", "4", ""]]
    at = {"title": (0, 0), "header": (1, 3), "label": (3, 0), "figure": (3, 1)}[place]
    rows[at[0]][at[1]] = text
    began = time.process_time()
    run_one("a.csv", text_csv(rows), 0)
    # squared time would be minutes; this is no measure of speed
    assert time.process_time() - began < 30


@pytest.mark.parametrize("cell", ['<c r="5"><v>1</v></c>', '<c r=""><v>1</v></c>', '<c r="A"><v>1</v></c>'])
def test_a_cell_without_a_column(cell: str) -> None:
    data = workbook([HEAD, ["Thôn Một", 1, 2]])
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        parts = {i.filename: source.read(i) for i in source.infolist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'<c r="A2"', cell.encode() + b'<c r="A2"')
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    assert run_one("a.xlsx", out.getvalue(), 0) in ("DAMAGED_WORKBOOK", "read")


def test_a_package_whose_relations_name_no_workbook() -> None:
    relations = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("_rels/.rels", relations)
    assert run_one("a.xlsx", out.getvalue(), 0) == "DAMAGED_WORKBOOK"
