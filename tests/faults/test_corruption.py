"""Law 7: damage to one cell, or to one byte of the file, ends nobody and stops nobody else.

Each damage has a commune of its own, which sent a sound list a quarter before; all run together. The name of a village
that turns into another readable name is another statement and no damage, so letters of names are only made unreadable.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any

import pytest
from openpyxl import Workbook

from pipelines.flow import Pipeline
from tests.e2e.flows import World, codes, said, saved, text_csv, worded
from tests.faults.worlds import Copies, whole

NAMES = [
    "Thôn Bình An", "Thôn Đá Bạc", "Xóm Cồn", "Thôn Mỹ Đức", "Thôn Suối Cát", "Thôn Tân Lập", "Thôn Hòa Bình",
    "Thôn Gò Muồng",
]  # fmt: skip
HEAD = ("Tên thôn", "Loại", "Số hộ", "Số khẩu")
UNREADABLE: tuple[Any, ...] = (
    None, "   ", "###", "#REF!", "=SUM(B1:B2)", "x" * 5000, date(2026, 5, 1), "_x0000_", "a\x07", "\ufffd?", "12a",
)  # fmt: skip
"""What becomes of a cell. '12a' is a name as good as another: it is for cells that hold no name only."""
Table = list[list[Any]]


def _rows(more: int) -> Table:
    return [[name, "Thôn", 100 + n + more, 400 + n + more] for n, name in enumerate(NAMES)]


def _plain() -> Table:
    return [list(HEAD), *_rows(1)]


def _printed() -> Table:
    """As offices print it: titles, a header of two rows, numbers of columns, a total, a signature."""
    rows = _rows(1)
    return [
        ["UBND XÃ", None, None, None, None],
        [None, None, "BIỂU TỔNG HỢP THÔN, TỔ DÂN PHỐ", None, None],
        ["Tính đến ngày 30/6/2026", None, None, None, None],
        ["STT", "Tên thôn", "Loại", "Quy mô", None],
        [None, None, None, "Số hộ", "Số khẩu"],
        ["(1)", "(2)", "(3)", "(4)", "(5)"],
        *([n, *row] for n, row in enumerate(rows, 1)),
        [None, "Tổng cộng", None, sum(r[2] for r in rows), sum(r[3] for r in rows)],
        [None, "Người lập biểu", None, "CHỦ TỊCH", None],
    ]


def _coded() -> Table:
    return [["Mã xã", *HEAD], *(["{sender}", *row] for row in _rows(1))]


def _workbook(table: Table) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in table:
        sheet.append([None if isinstance(c, str) and "\x07" in c else c for c in row])
    data = saved(book)
    # openpyxl writes no control characters; others do
    marked = [(f"{chr(65 + j)}{i}", c) for i, row in enumerate(table, 1) for j, c in enumerate(row) if c == "a\x07"]
    return _with_controls(data, [at for at, _ in marked]) if marked else data


def _with_controls(data: bytes, addresses: Iterable[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                for at in addresses:
                    row = int("".join(c for c in at if c.isdigit()))
                    cell = f'<c r="{at}" t="inlineStr"><is><t>a_x0007_</t></is></c>'
                    part = _put_cell(part.decode(), at, row, cell).encode()
            target.writestr(name, part)
    return out.getvalue()


def _put_cell(xml: str, at: str, row: int, cell: str) -> str:
    begin = xml.index(">", xml.index(f'<row r="{row}"')) + 1
    end = xml.index("</row>", begin)
    before = [c for c in xml[begin:end].split("<c ") if c and c.split('"')[1] < at]
    after = [c for c in xml[begin:end].split("<c ") if c and c.split('"')[1] > at]
    return xml[:begin] + "".join(f"<c {c}" for c in before) + cell + "".join(f"<c {c}" for c in after) + xml[end:]


SHAPES = {"plain": _plain, "printed": _printed, "coded": _coded}
SAMPLE = 75
"""Damages taken of each shape."""


def _cells(table: Table, random: Random) -> Iterator[tuple[str, Table]]:
    """(what, table) with one cell damaged: some of all that could be."""
    every = [(i, j, d) for i, row in enumerate(table) for j in range(len(row)) for d in range(len(UNREADABLE))]
    for i, j, d in random.sample(every, min(SAMPLE, len(every))):
        damage = UNREADABLE[d]
        if damage == "12a" and table[i][j] in NAMES:
            continue
        damaged = [list(row) for row in table]
        damaged[i][j] = damage
        yield f"{chr(65 + j)}{i + 1} {damage!r:.20}", damaged


def _bytes_of_csv(random: Random) -> Iterator[tuple[str, bytes]]:
    data = text_csv(_plain())
    first = data.index(b"\n") + 1
    # what happens within the last cell of a record, or at its end, leaves a sound record of another value
    last = {at for at in range(first, len(data)) if data[:at].rsplit(b"\n", 1)[-1].count(b",") == 3} | {
        at for at in range(first, len(data)) if data[at - 1 : at] == b"\n"
    }
    for at, byte in enumerate(data):
        if byte in b",\n" and at >= first:
            kinds = [b"x", b" ", b";", b"\t", b'"', b"", b"\n" if byte == 44 else b","]
            yield from (
                (f"{chr(byte)!r} at {at}: {k!r}", data[:at] + k + data[at + 1 :]) for k in random.sample(kinds, 3)
            )
        elif at % 5 == 0:
            other = random.choice((b"\xff", b"\0", bytes([byte ^ 0x80])))
            yield f"{at}: {other!r}", data[:at] + other + data[at + 1 :]
        elif at % 5 == 1 and at >= first and at not in last:
            yield f"broken at {at}", data[:at] + random.choice((b"\n", b",")) + data[at:]
    yield from ((f"cut at {at}", data[:at]) for at in range(first, len(data), 3) if at not in last)


def _bytes_of_workbook(random: Random) -> Iterator[tuple[str, bytes]]:
    data = _workbook(_plain())
    for n in range(45):
        at = random.randrange(len(data))
        damaged = bytearray(data)
        if n % 3 == 0:
            yield f"cut at {at}", data[:at]
        elif n % 3 == 1:
            damaged[at] ^= 1 << random.randrange(8)
            yield f"bit of {at}", bytes(damaged)
        else:
            damaged[at : at + 30] = random.randbytes(30)
            yield f"thirty at {at}", bytes(damaged)


@dataclass
class Sent:
    """One damage: who sent it, and what was done."""

    sender: str
    kind: str
    what: str
    place: str


@dataclass
class Damaged:
    world: World
    sent: list[Sent]


@pytest.fixture(scope="module")
def damaged(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    random = Random(5)
    files: list[tuple[str, str, str, bytes | Table]] = []
    for kind, shape in SHAPES.items():
        files += ((f"{kind}.xlsx", what, "a.xlsx", table) for what, table in _cells(shape(), random))
    files += (("plain.csv", what, "a.csv", table) for what, table in _cells(_plain(), random))
    files += (("bytes of a CSV", what, "a.csv", data) for what, data in _bytes_of_csv(random))
    files += (("bytes of a workbook", what, "a.xlsx", data) for what, data in _bytes_of_workbook(random))
    folder = tmp_path_factory.mktemp("reference")
    senders = [f"{10000 + n}" for n in range(len(files) + 1)]
    lines = ["code,name", *(f"{s},Xã Số {s}" for s in senders)]
    (folder / "communes.csv").write_text("\n".join(lines), encoding="utf-8")
    world = copies.new(reference=folder)
    base = text_csv([HEAD, *_rows(0)])
    sent = []
    for sender, (kind, what, name, body) in zip(senders, files, strict=False):
        world.drop(sender, base, "truoc.csv", period="2026-Q1")
        if isinstance(body, list):
            table = [[c.format(sender=sender) if c == "{sender}" else c for c in row] for row in body]
            body = _workbook(table) if name == "a.xlsx" else _csv(table)
        sent.append(Sent(sender, kind, what, world.drop(sender, body, name)))
    world.drop(senders[-1], text_csv(_plain()), "a.csv")  # a sound one in the end
    world.pipeline.run()
    return Damaged(world, sent)


def _csv(table: Sequence[Sequence[Any]]) -> bytes:
    return text_csv([["\0" if c == "_x0000_" else "" if c is None else c for c in row] for row in table])


def test_nobody_ends(damaged: Damaged) -> None:
    # a village may go on under a name with a letter wrong, as long as it is the same village
    alive = damaged.world.rows(
        "select commune_code, array_agg(distinct h.village_name) from mart_v1.villages_history h "
        "where h.village_name = any (%s) and exists (select from mart_v1.villages_history n "
        "where n.village_id = h.village_id and n.valid_to is null) group by 1",
        [NAMES],
    )
    names = {commune: set(found) for commune, found in alive}
    ended = [(s.kind, s.what, set(NAMES) - names.get(s.sender, set())) for s in damaged.sent]
    assert [e for e in ended if e[2]] == []


def test_no_value_is_made_up(damaged: Damaged) -> None:
    values = damaged.world.rows(
        "select distinct village_name, households - 100, population - 400 from mart_v1.villages_history "
        "where village_name = any (%s)",
        [NAMES],
    )
    assert set(values) <= {(name, n + more, n + more) for n, name in enumerate(NAMES) for more in (0, 1)}


def test_every_file_is_answered_and_none_is_our_fault(damaged: Damaged) -> None:
    states = dict(damaged.world.rows("select sender, state from intake.submission where period = '2026-Q2'"))
    assert set(states) >= {s.sender for s in damaged.sent}
    faults = damaged.world.rows('select file_name from intake.submission where problems @> \'[{"code": "INTERNAL"}]\'')
    assert faults == []
    assert set(states.values()) >= {"accepted", "partly", "rejected"}
    last = damaged.world.rows("select max(sender) from intake.submission")[0][0]
    assert states[last] == "accepted"
    whole(damaged.world)


@pytest.mark.parametrize("slices", [False, True], ids=["whole", "in slices"])
@pytest.mark.parametrize(
    "second", ["Thôn Hai, mới,22,82,cũ", "Thôn Hai, 3,22,82,", "Thôn Hai 22,82,cũ", "Thôn Hai\n, 22,82", "Thôn H"]
)
def test_a_separator_too_many_or_lost_is_seen(
    second: str, slices: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if slices:
        tools = Pipeline.tools
        monkeypatch.setattr(Pipeline, "tools", lambda *args: replace(tools(*args), large_bytes=1))
    sender = world.communes[0]
    head, one = "Tên thôn,Số hộ,Số khẩu,Ghi chú\n", "Thôn Một,10,40,\n"
    # blanks at the end that a program leaves out or adds shift nothing
    world.drop(sender, (head + "Thôn Một,10,40\nThôn Hai,20,80,cũ\n").encode(), "truoc.csv", period="2026-Q1")
    world.drop(sender, (head + "Thôn Một,11,41,,,\nThôn Hai,21,81,,,\n").encode(), "nay.csv", period="2026-Q2")
    shifted = world.drop(sender, (head + one + second).encode(), "sau.csv", period="2026-Q3")
    world.run()
    history = [(name, households, str(since)) for _, name, households, _, since, _, _ in world.history(sender)]
    assert history == [
        ("Thôn Hai", 20, "2026-03-31"), ("Thôn Hai", 21, "2026-06-30"),
        ("Thôn Một", 10, "2026-03-31"), ("Thôn Một", 11, "2026-06-30"), ("Thôn Một", 10, "2026-09-30"),
    ]  # fmt: skip
    assert set(world.open_villages(sender)) == {"Thôn Một", "Thôn Hai"}
    answered = world.submission(shifted)
    assert answered["state"] == "partly" and codes(answered) == []
    assert ("A3", "MISPLACED") in said(answered)
    worded(answered)
