"""CSV in every encoding that communes still send: the same text, or a cell that says that it is in doubt."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.intake.csvfile import iter_csv, read_csv
from assets.intake.decoding import SUSPECT, suspicious
from assets.intake.encodings import foreign_readings
from assets.reference.units import load_reference
from schemas.grid import Grid, Kind
from tests import legacy

HEAD = ["STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu", "Ghi chú"]
NAMES = sorted({n.split(" ", 1)[1] for n in load_reference().units["name"] if " " in n})
PLACES = ["Bình Hòa", "Suối Đá", "Phước Thịnh", "Mỹ Hiệp", "Cà Ná", "Hà Già", "Đắk Lô", "Hòn Khói"]


def table(names: list[str]) -> list[list[str]]:
    return [HEAD, *([str(i), name, "Thôn", "120", "480", ""] for i, name in enumerate(names, 1))]


def text_of(rows: list[list[str]], separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


BYTES: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with its mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without its mark": lambda text: text.encode("utf-16-le"),
    "UTF-16, high byte first, without its mark": lambda text: text.encode("utf-16-be"),
    "cp1258": legacy.cp1258,
    "TCVN3": lambda text: legacy.tcvn3(text).encode("latin-1"),
    "VNI": lambda text: legacy.vni(text).encode("cp1252"),
    "TCVN3 saved as UTF-8": lambda text: legacy.tcvn3(text).encode(),
    "VNI saved as UTF-16": lambda text: legacy.vni(text).encode("utf-16"),
    "mojibake": lambda text: legacy.mojibake(text).encode(),
    "mojibake twice": lambda text: legacy.mojibake(text, 2).encode(),
    "mojibake in UTF-16": lambda text: legacy.mojibake(text).encode("utf-16"),
}


def texts(grid: Grid) -> list[list[str]]:
    return [list(row) for row in grid.frame.select(c for c in grid.frame.columns[1::2]).rows()]


def kinds(grid: Grid) -> list[list[int]]:
    return [list(row) for row in grid.frame.select(c for c in grid.frame.columns[2::2]).rows()]


def told(grid: Grid) -> dict[str, dict[str, object]]:
    return {note.code: note.params for note in grid.notes}


@pytest.mark.parametrize("name", BYTES)
def test_a_list_of_villages_in_each_encoding(name: str) -> None:
    rows = table(PLACES)
    grid = read_csv(BYTES[name](text_of(rows, ";")))
    assert texts(grid) == rows
    assert Kind.UNDECODED not in sum(kinds(grid), [])
    usual = name in ("UTF-8", "UTF-8 with its mark", "UTF-16")
    assert ("ENCODING_READ" in told(grid)) is not usual
    assert set(told(grid)) <= {"ENCODING_READ"}


def test_what_is_told_names_encoding_and_share() -> None:
    grid = read_csv(BYTES["TCVN3"](text_of(table(PLACES))))
    assert told(grid) == {"ENCODING_READ": {"where": "Tệp", "encoding": "TCVN3 (ABC)", "share": "100"}}


@given(
    st.sampled_from(sorted(BYTES)), st.lists(st.sampled_from(NAMES), min_size=1, max_size=30), st.sampled_from(",;\t|")
)
@settings(max_examples=250, deadline=None)
def test_the_same_text_or_in_doubt_never_another(name: str, names: list[str], separator: str) -> None:
    rows = table(names)
    if name.startswith("TCVN3"):  # capitals with a tone are what TCVN3 cannot write
        rows = [[cell.lower() for cell in row] for row in rows]
    grid = read_csv(BYTES[name](text_of(rows, separator)))
    for cells, read, of in zip(rows, texts(grid), kinds(grid), strict=True):
        assert [c for c, k in zip(cells, of, strict=True) if k != Kind.UNDECODED] == [
            r for r, k in zip(read, of, strict=True) if k != Kind.UNDECODED
        ]
    lost = sum(k == Kind.UNDECODED for row in kinds(grid) for k in row)
    assert ("ENCODING_UNDECIDED" in told(grid)) == (lost > 0)
    assert lost == 0 or told(grid)["ENCODING_UNDECIDED"]["count"] == lost


@pytest.mark.parametrize("name", ["cp1258", "TCVN3", "VNI", "mojibake", "TCVN3 saved as UTF-8"])
def test_the_first_accent_may_come_megabytes_later(name: str) -> None:
    plain = [["ma", "ten", "so"], *([str(i), "Thon", "5"] for i in range(120_000))]
    rows = [[str(i), place, "5"] for i, place in enumerate(PLACES * 3)]
    data = BYTES[name](text_of(plain + rows))
    assert data[: 1 << 20].isascii()
    grids = list(iter_csv(io.BytesIO(data), batch_rows=50_000))
    assert sum((texts(g) for g in grids[-1:]), [])[-len(rows) :] == rows
    assert [told(g) for g in grids[:-1]] == [{}, {}]
    assert set(told(grids[-1])) == {"ENCODING_READ"}


def test_batches_of_a_legacy_file_read_alike_and_it_is_told_once() -> None:
    rows = table(PLACES * 400)
    whole = read_csv(BYTES["VNI"](text_of(rows)))
    grids = list(iter_csv(io.BytesIO(BYTES["VNI"](text_of(rows))), batch_rows=700))
    assert sum(map(texts, grids), []) == texts(whole) == rows
    assert [list(told(g)) for g in grids] == [["ENCODING_READ"]] + [[]] * (len(grids) - 1)


@pytest.mark.parametrize("at", [0, 30_000], ids=["in the head", "behind the head"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xe1\xba", b"\x80\x80"])
def test_one_bad_byte_costs_its_cell_and_no_other(at: int, bad: bytes) -> None:
    rows = table(PLACES * 5_000)
    lines = text_of(rows).encode().splitlines(keepends=True)
    hurt = lines[at + 3].replace(",Thôn".encode(), bad + ",Thôn".encode())
    grid = read_csv(b"".join([*lines[: at + 3], hurt, *lines[at + 4 :]]))
    read = texts(grid)
    assert "\ufffd" in read[at + 3][1] and read[at + 3][2:] == rows[at + 3][2:]
    assert read[: at + 3] + read[at + 4 :] == rows[: at + 3] + rows[at + 4 :]
    assert list(told(grid)) == ["BAD_BYTES"]


def test_a_bad_byte_in_quotes_moves_no_cell() -> None:
    data = 'Tên thôn,Số hộ\r\n"Bình Hòa, Đông?",5\r\n"Suối Đá",6\r\nCà Ná,7\r\nMỹ Hiệp,8\r\n'.encode()
    grid = read_csv(data.replace(b"?", b"\xe1\xbb"))
    assert texts(grid)[1:3] == [["Bình Hòa, Đông\ufffd", "5"], ["Suối Đá", "6"]]


def test_two_files_in_one_are_not_turned_to_mojibake() -> None:
    first, second = text_of(table(PLACES)).encode(), legacy.tcvn3(text_of(table(PLACES))).encode("latin-1")
    grid = read_csv(first + second)
    assert texts(grid)[: len(PLACES) + 1] == table(PLACES)
    assert list(told(grid)) == ["BAD_BYTES"]


def test_bytes_that_are_no_vietnamese_leave_their_cells_in_doubt() -> None:
    grid = read_csv(b"ma,ten\r\n1,Caf\xe9\r\n2,Binh An\r\n3,m\xb2\r\n")
    assert [row[1] for row in kinds(grid)] == [Kind.TEXT, Kind.UNDECODED, Kind.TEXT, Kind.UNDECODED]
    assert [row[1] for row in texts(grid)] == ["ten", "Café", "Binh An", "m²"]
    assert told(grid)["ENCODING_UNDECIDED"]["count"] == 2


def test_a_byte_that_the_encoding_does_not_have_leaves_its_cell_in_doubt() -> None:
    rows = table(PLACES)
    data = legacy.tcvn3(text_of(rows)).encode("latin-1")
    data = data.replace("Hµ Gi".encode("latin-1"), b"H\xe0 Gi")
    grid = read_csv(data)
    assert [(r, c) for r, row in enumerate(kinds(grid)) for c, k in enumerate(row) if k == Kind.UNDECODED] == [(6, 1)]


def test_a_column_of_legacy_text_in_a_unicode_file() -> None:
    rows = [[*row[:5], place] for row, place in zip(table(PLACES), ["Địa bàn", *PLACES], strict=True)]
    sent = [[*row[:5], legacy.tcvn3(row[5]) if i else row[5]] for i, row in enumerate(rows)]
    grid = read_csv(text_of(sent).encode())
    assert texts(grid) == rows
    assert told(grid)["ENCODING_READ"]["where"] == "Cột F của tệp"


def test_what_is_vietnamese_twice_is_left_out_of_a_column_of_legacy_text() -> None:
    rows = [[*row[:5], place] for row, place in zip(table(PLACES), ["Ghi chú", *PLACES], strict=True)]
    grid = read_csv(text_of([[*row[:5], legacy.tcvn3(row[5]) if i else row[5]] for i, row in enumerate(rows)]).encode())
    assert kinds(grid)[0][5] == Kind.UNDECODED  # 'chú', or 'chỳ'
    assert texts(grid) == rows


def test_a_few_legacy_cells_in_a_unicode_column_are_in_doubt() -> None:
    rows = table([*PLACES, *PLACES, "§ång TiÕn", "TiÕn"])
    grid = read_csv(text_of(rows).encode())
    assert [row[1] for row in kinds(grid)] == [Kind.TEXT] * 17 + [Kind.UNDECODED] * 2
    assert texts(grid) == rows
    assert told(grid)["ENCODING_UNDECIDED"] == {
        "where": "Tệp", "count": 2, "candidates": "TCVN3 (ABC)", "whole": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Xãm míi", "Suèi khÈu", "Vò muén tÊt", "CÈm giang", "Nuùi Baø", "An Lónh", "Phuù Thoï"]
)
def test_a_single_legacy_cell_is_in_doubt_though_each_of_its_letters_is_vietnamese(text: str) -> None:
    rows = table([*PLACES * 300, text])
    data = text_of(rows).encode()
    for batch_rows in (1 << 30, 500):
        grids = list(iter_csv(io.BytesIO(data), batch_rows=batch_rows))
        assert [row[1] for row in sum(map(kinds, grids), [])][-2:] == [Kind.TEXT, Kind.UNDECODED]


def test_the_quick_look_passes_over_nearly_all_real_names() -> None:
    assert sum(map(suspicious, ([name] for name in NAMES))) < 0.002 * len(NAMES)
    sent = [legacy.tcvn3(name.lower()) for name in NAMES]
    missed = [text for text in sent if not suspicious([text]) and foreign_readings(text)]
    assert len(missed) < 0.001 * len(sent)


LETTERS = "aeiouyàáâãèéêìíòóôõùúýăđạảấộAIYÀÁÂÝĂĐnhgcptNHGCPTb \xa0ßœÄ²"


@given(st.lists(st.text(LETTERS, min_size=1, max_size=4), min_size=1, max_size=50))
@settings(max_examples=300)
def test_the_quick_look_is_the_same_in_python_and_in_polars(texts: list[str]) -> None:
    by_polars = pl.Series(texts).str.contains(SUSPECT).to_list()
    assert [suspicious([text]) for text in texts] == [
        found and not t.isascii() for found, t in zip(by_polars, texts, strict=True)
    ]
