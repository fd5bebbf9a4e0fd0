"""Villages in the encodings from before Unicode, from the inbox into the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from pipelines.flow import Pipeline
from tests import legacy
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, codes, said, saved, text_csv, worded

ROWS = [
    HEAD,
    ("Suối Đá", "Thôn", "10", "40"),
    ("Phước Thịnh", "Thôn", "20", "80"),
    ("Mỹ Hiệp", "Tổ dân phố", "30", "90"),
    ("Hà Già", "Thôn", "5", "21"),
]
VALUES = {"Hà Già": (5, 21), "Mỹ Hiệp": (30, 90), "Phước Thịnh": (20, 80), "Suối Đá": (10, 40)}


def fonts() -> bytes:
    """Title and header in .VnTimeH, names in .VnTime, Times New Roman, VNI-Times and as runs of two fonts."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Danh s¸ch"
    rich = CellRichText(
        TextBlock(InlineFont(rFont=".VnTime"), "Hµ "), TextBlock(InlineFont(rFont="Times New Roman"), "Già")
    )
    rows: Sequence[Sequence[tuple[Any, str]]] = [
        [("uû ban nh©n d©n x·", ".VnTimeH")],
        [(legacy.tcvn3(h.lower()), ".VnTimeH") for h in HEAD],
        [(legacy.tcvn3("Suối Đá"), ".VnTime"), ("Thôn", "Times New Roman"), (10, ".VnTime"), (40, ".VnTime")],
        [("Phước Thịnh", "Times New Roman"), (legacy.tcvn3("Thôn"), ".VnTime"), (20, ".VnTime"), (80, ".VnTime")],
        [(legacy.vni("Mỹ Hiệp"), "VNI-Times"), (legacy.vni("Tổ dân phố"), "VNI-Times"), (30, "Arial"), (90, "Arial")],
        [(rich, "Arial"), ("Thôn", "Arial"), (5, "Arial"), (21, "Arial")],
    ]
    for i, row in enumerate(rows, 1):
        for j, (value, font) in enumerate(row, 1):
            sheet.cell(i, j, value).font = Font(name=font)
    return saved(book)


def in_tcvn3(separator: str = ";") -> bytes:
    return legacy.tcvn3(text_csv(ROWS, separator).decode()).encode("latin-1")


FILES = {
    "tcvn3.csv": in_tcvn3(),
    "vni.csv": legacy.vni(text_csv(ROWS).decode()).encode("latin-1"),
    "tcvn3_utf8.csv": legacy.tcvn3(text_csv(ROWS).decode()).encode(),
    "phong_chu.xlsx": fonts(),
}


@pytest.mark.parametrize("sliced", [False, True], ids=["whole", "in slices"])
def test_files_from_before_unicode_reach_the_warehouse(
    make_world: Make, monkeypatch: pytest.MonkeyPatch, sliced: bool
) -> None:
    if sliced:
        tools = Pipeline.tools
        monkeypatch.setattr(Pipeline, "tools", lambda *args: replace(tools(*args), large_bytes=1))
    world = make_world()
    places = {
        name: world.drop(sender, data, name)
        for sender, (name, data) in zip(world.communes, FILES.items(), strict=False)
    }
    world.run()
    for name, place in places.items():
        answered = world.submission(place)
        assert world.open_villages(place.split("/")[1]) == VALUES, name
        assert set(codes(answered)) == {"ENCODING_READ"}, name
        worded(answered)
    (told,) = world.submission(places["tcvn3.csv"])["problems"]
    assert told["message"] == "Tệp được đọc theo bảng mã TCVN3 (ABC) (tỉ lệ âm tiết hợp lệ 100%)."
    assert world.proved() == len(VALUES) * len(FILES)


@pytest.mark.parametrize("sliced", [False, True], ids=["whole", "in slices"])
def test_rows_that_can_be_read_two_ways_are_kept_back_and_the_rest_is_read(
    make_world: Make, monkeypatch: pytest.MonkeyPatch, sliced: bool
) -> None:
    if sliced:
        tools = Pipeline.tools
        monkeypatch.setattr(Pipeline, "tools", lambda *args: replace(tools(*args), large_bytes=1))
    world = make_world()
    doubtful, damaged, unknown = world.communes[:3]
    lines = text_csv(ROWS)
    in_doubt = world.drop(doubtful, lines.replace("Suối Đá".encode(), "Suèi §¸".encode()), "nghi.csv")
    hurt = world.drop(damaged, lines.replace("Suối Đá".encode(), b"Su\xe1\xbbi \xc4\x90\xc3\xa1"), "hong.csv")
    # a header that is right in two encodings: nothing can be said of the file
    refused = world.drop(unknown, "Tên th?n;S? h?;S? kh?u\n".encode("cp1252") + b"\xd2\xea;1;2\n", "la.csv")
    world.run()
    rest = {name: value for name, value in VALUES.items() if name != "Suối Đá"}
    for commune, place, rule, whole in (
        (doubtful, in_doubt, "UNDECODED", "ENCODING_UNDECIDED"),
        (damaged, hurt, "UNREADABLE_TEXT", "BAD_BYTES"),
    ):
        answered = world.submission(place)
        assert world.open_villages(commune) == rest
        assert said(answered) == {("A2", rule)}
        assert codes(answered) == [whole]
        assert answered["counts"]["quarantined"] == 1
        worded(answered)
    assert codes(world.submission(refused)) == ["NOT_UTF8"]
