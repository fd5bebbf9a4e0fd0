"""The reading process: what parsers do over hostile files costs the file and no run, and its answers are never believed."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.intake import reader as module
from assets.intake.grids import grids_of
from assets.intake.limits import MIB, Limits
from assets.intake.reader import Reader, ReaderLost, packed, unpacked
from schemas.codes import CODES
from schemas.grid import Grid, Problem, Unreadable

CSV = "Tên thôn,Số hộ\nĐào Xá,12\n".encode()
LIMITS = Limits(memory_bytes=256 * MIB, seconds=10)
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounds on memory work on Linux only")


@pytest.fixture(scope="module")
def broken() -> Iterator[Reader]:
    near = Reader("tests.assets.intake.broken_reader")
    yield near
    near.close()


@pytest.fixture(scope="module")
def sound() -> Iterator[Reader]:
    near = Reader()
    yield near
    near.close()


def refused(near: Reader, data: bytes, limits: Limits = LIMITS) -> Problem:
    with pytest.raises(Unreadable) as caught:
        near.read(data, "a.csv", limits)
    assert caught.value.problem.code in CODES
    return caught.value.problem


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("segfault", "READER_DIED"),
        ("abort", "READER_DIED"),
        ("exit", "READER_DIED"),
        ("killed", "READER_DIED"),
        ("loop", "READER_TIMEOUT"),
        ("recursion", "INTERNAL"),
        ("panic", "INTERNAL"),
        ("python memory", "TOO_LARGE"),
        ("garbage", "READER_DIED"),
        ("endless", "READER_DIED"),
        ("deep", "READER_DIED"),
        ("infinite", "READER_DIED"),
        ("unknown code", "READER_DIED"),
        ("long answer", "READER_DIED"),
        pytest.param("rust memory", "TOO_LARGE", marks=LINUX),
        pytest.param("c memory", "TOO_LARGE", marks=LINUX),
    ],
)
def test_a_parser_that_breaks_costs_one_file(broken: Reader, what: str, code: str) -> None:
    limits = dataclasses.replace(LIMITS, seconds=1) if what == "loop" else LIMITS
    problem = refused(broken, what.encode(), limits)
    assert problem.code == code
    if code == "TOO_LARGE":
        assert problem.params == {"limit": "bộ nhớ 256 MB khi đọc"}
    (grid,), _ = broken.read(CSV, "a.csv", LIMITS)
    assert grid.frame["A"].to_list() == ["Tên thôn", "Đào Xá"]


def test_no_value_of_a_cell_is_logged(broken: Reader, caplog: pytest.LogCaptureFixture) -> None:
    assert refused(broken, b"panic").params == {"fault": "PanicException"}
    assert "PanicException at broken_reader.py" in caplog.text and "value of a cell" not in caplog.text


def test_a_process_that_sleeps_is_ended_by_the_caller(broken: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WALL", 0.5)
    start = time.monotonic()
    assert refused(broken, b"asleep").code == "READER_TIMEOUT"
    assert time.monotonic() - start < 10


def test_a_death_of_something_else_is_tried_once_more(broken: Reader, tmp_path: Path) -> None:
    grids, _ = broken.read(b"once:" + os.fsencode(tmp_path / "met"), "a.csv", LIMITS)
    assert len(grids) == 1 and (tmp_path / "met").exists()


def test_a_process_killed_between_files_is_replaced(sound: Reader) -> None:
    sound.read(CSV, "a.csv", LIMITS)
    assert sound._process is not None
    os.kill(sound._process.pid, signal.SIGKILL)
    time.sleep(0.05)
    starts = sound.starts
    assert len(sound.read(CSV, "a.csv", LIMITS)[0]) == 1
    assert sound.starts == starts + 1


def test_one_process_reads_many_files(sound: Reader) -> None:
    sound.read(CSV, "a.csv", LIMITS)
    starts = sound.starts
    for _ in range(20):
        sound.read(CSV, "a.csv", LIMITS)
    refused(sound, b"")
    sound.read(CSV, "a.csv", LIMITS)
    assert sound.starts == starts


@LINUX
def test_memory_is_bounded_for_each_file_alone(sound: Reader) -> None:
    big = b"a,b\n" + b"x,1\n" * 4_000_000
    assert refused(sound, big, Limits(memory_bytes=96 * MIB)).params == {"limit": "bộ nhớ 96 MB khi đọc"}
    # what it kept of other files counts for none
    for _ in range(3):
        (grid,), _ = sound.read(CSV * 50_000, "a.csv", Limits(memory_bytes=96 * MIB))
        assert grid.frame.height == 100_000


def test_size_at_the_door(sound: Reader) -> None:
    assert refused(sound, b"x" * (MIB + 1), Limits(file_bytes=MIB)).params == {"limit": "1 MB một tệp"}


def test_all_of_a_grid_travels(sound: Reader) -> None:
    assert {f.name for f in dataclasses.fields(Grid)} == {
        "name", "index", "frame", "hidden", "hidden_rows", "merged", "bold_rows", "cells", "notes"
    }  # fmt: skip
    data = _workbook()
    here, there = grids_of(data, "a.xlsx"), sound.read(data, "a.xlsx", LIMITS)
    assert here[1] == there[1] and len(here[0]) == len(there[0]) == 2
    for one, other in zip(here[0], there[0], strict=True):
        assert one.frame.equals(other.frame) and one.frame.schema == other.frame.schema
        rest = [f.name for f in dataclasses.fields(Grid) if f.name not in ("frame", "cells")]
        assert [getattr(one, n) for n in rest] == [getattr(other, n) for n in rest]
    (one,), (other,) = grids_of(b"a,b\nc\n", "a.csv")[0], sound.read(b"a,b\nc\n", "a.csv", LIMITS)[0]
    assert one.cells is not None and other.cells is not None and one.cells.to_list() == other.cells.to_list() == [2, 1]


def _workbook() -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    for row in (["Thôn", "Số hộ"], ["Đào Xá", 1], ["Cẩm", 2.5], ["=1+1", True]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet["A1"].font = sheet["B1"].font = Font(bold=True)
    sheet.row_dimensions[3].hidden = True
    book.create_sheet("ẩn").sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_flipped_bit_of_an_answer_is_no_crash() -> None:
    (grid,), _ = grids_of("Tên thôn,Số hộ\n".encode() + "Thôn dài hơn mười hai,7\n".encode() * 40, "a.csv")
    whole = packed(grid)
    chance = random.Random(3)
    told = {"counted": True, "name": "", "index": 0, "hidden": False, "hidden_rows": [], "merged": [], "bold_rows": []}
    outcomes = set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 2, 5))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            outcomes.add(module._grid(told, unpacked(data)).frame.height)
        except module._SENSELESS as error:
            outcomes.add(type(error).__name__)
    assert len(outcomes) > 2


@pytest.mark.parametrize("what", ["noise", "writes a file:{}"])
def test_the_process_may_print_and_write_nothing(broken: Reader, what: str, tmp_path: Path) -> None:
    path = tmp_path / "written"
    data = what.format(path).encode()
    if "{" in what:
        assert refused(broken, data).params == {"fault": "OSError"}
        assert path.stat().st_size <= MIB
    else:
        assert len(broken.read(data, "a.csv", LIMITS)[0]) == 1


def test_the_process_knows_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", "postgresql://someone:secret@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    near = Reader("tests.assets.intake.broken_reader")
    try:
        told = refused(near, b"environment").params["fault"]
    finally:
        near.close()
    assert "PYTHONPATH" in told and "LIENTHONG" not in told and "AWS" not in told


def test_a_process_that_cannot_be_started_says_nothing_of_a_file() -> None:
    near = Reader("tests.assets.intake.no_such_module")
    with pytest.raises(ReaderLost):
        near.read(CSV, "a.csv", LIMITS)


def test_closing_frees_who_waits() -> None:
    near = Reader("tests.assets.intake.broken_reader")
    near.read(CSV, "a.csv", LIMITS)
    threading.Timer(0.2, near.close).start()
    with pytest.raises(ReaderLost):
        near.read(b"asleep", "a.csv", LIMITS)
    assert not near.usable


def test_it_outlives_nobody() -> None:
    code = (
        "import time, sys; from assets.intake.reader import Reader; from assets.intake.limits import Limits\n"
        f"r = Reader(); r.read({CSV!r}, 'a.csv', Limits()); print(r._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        pid = int(caller.stdout.readline())
        caller.kill()
    for _ in range(100):
        if not _runs(pid):
            return
        time.sleep(0.05)
    raise AssertionError("the reading process is still there")


def _runs(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_words_of_a_refusal_travel(sound: Reader) -> None:
    assert refused(sound, b'a,b\n"c,d\n').params == {"row": 2}
    json.dumps(refused(sound, b"%PDF-1.4").params)
