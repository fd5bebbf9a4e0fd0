"""The workbook that goes back to the sender, and what becomes of it when it is sent again."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from assets.intake.tables import ANSWER_SHEET
from assets.returns.package import FILLS
from assets.returns.returned import cells_of
from schemas import messages
from tests.assets.returns.test_package import untouched
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, codes, said, saved, text_csv, villages, workbook

ROWS = [
    ("Bình An", "Thôn", 12, 40),
    ("Phú Lộc", "Thôn", "mười", 33),
    ("=1+1", "Thôn", 5, 20),
    ("Suối Cát", "Thôn", 8, 31),
]


def back(world: World, submission: str) -> bytes:
    """The workbook as it is kept for the sender."""
    (file,) = (world.home / "returns").rglob(f"{submission}.xlsx")
    return file.read_bytes()


def answered(world: World, **options: Any) -> None:
    """A run, and its answers."""
    world.run(**options)
    pipeline = world.pipeline
    with world.connection() as connection:
        pipeline.answer(connection, [r[0] for r in world.rows("select submission_id from intake.submission")])
    pipeline.close()


def texts(sheet: Worksheet) -> str:
    return "\n".join(str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None)


def marked(sheet: Worksheet, tone: str) -> dict[str, str]:
    """Address -> comment of the cells in a colour."""
    return {
        c.coordinate: c.comment.text if c.comment else ""
        for row in sheet.iter_rows() for c in row if c.fill.fgColor.rgb == FILLS[tone] and c.fill.fill_type
    }  # fmt: skip


# --- every given case -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases(make_world: Make, shared: Path) -> tuple[World, dict[str, bytes]]:
    """All given cases in one world, and their files by submission."""
    folder = shared / "cases"
    world = make_world(reference=folder / "_reference")
    for case in sorted(folder.glob("G*")):
        for s in json.loads((case / "case.json").read_text(encoding="utf-8"))["submissions"]:
            year, month, *_ = map(int, s["as_of"].split("-"))
            period = f"{year}-{month:02}" if s["dataset"] == "dossiers" else f"{year}-Q{(month + 2) // 3}"
            name = f"{case.name}_{s['n']}_{Path(s['path']).name}"
            data = (case / s["path"]).read_bytes()
            world.drop(s["sender"], data, name, period=period, at=datetime.fromisoformat(s["received_at"]))
    answered(world)
    found = world.rows(
        "select u.submission_id, d.sha256 from intake.submission u join intake.delivery d using (delivery_id)"
    )
    return world, {name: world.archived_bytes(sha256) for name, sha256 in found}


def test_every_given_case_has_its_returned_workbook(cases: tuple[World, dict[str, bytes]]) -> None:
    world, files = cases
    assert len(files) > 20
    for name, before in files.items():
        answer, after = world.answer(name), back(world, name)
        book = load_workbook(io.BytesIO(after))
        ours = book.worksheets[0]
        assert ours.title == ANSWER_SHEET
        sheet_says = texts(ours)
        for words in (name, answer["sha256"], answer["state_label"], answer["sender"]):
            assert words in sheet_says, (answer["file"], words)
        for problem in answer["problems"]:
            assert problem["message"] in sheet_says and problem["remedy"] in sheet_says
        if answer["state"] != "rejected":
            assert len(book.worksheets) > 1
        linked = {c.hyperlink.location for row in ours.iter_rows() for c in row if c.hyperlink}
        for row in answer["rows"]:
            assert row["message"] in sheet_says
            sheet = book[row["sheet"]] if row["sheet"] in book.sheetnames else book.worksheets[1]
            assert f"'{sheet.title}'!{row['address']}" in linked
            for line, column in cells_of(row["address"], 1):
                assert sheet.cell(line, column).fill.fgColor.rgb in FILLS.values(), (answer["file"], row["address"])
            first = sheet.cell(*cells_of(row["address"], 1)[0])
            assert (
                first.comment is not None
                and row["message"] in first.comment.text
                and row["remedy"] in first.comment.text
            )
        if before.startswith(b"PK") and len(book.worksheets) > 1:
            untouched(before, after, *{f"sheet{n}" for n in range(1, 9)})
            for sheet in load_workbook(io.BytesIO(before)).worksheets:
                for cells in sheet.iter_rows():
                    for cell in cells:
                        assert book[sheet.title][cell.coordinate].value == cell.value


# --- one file, there and back ---------------------------------------------------------------------------------------------


def test_a_file_is_marked_mended_and_sent_back(world: World) -> None:
    commune = world.communes[1]
    place = world.drop(commune, workbook([("UBND XÃ",), HEAD, *ROWS], sheet="Thôn"))
    answered(world)
    first = world.submission(place)
    assert first["state"] == "partly"
    after = back(world, first["submission_id"])
    book = load_workbook(io.BytesIO(after))
    wrong = marked(book["Thôn"], "error")
    assert set(wrong) == {a for a, _ in said(first)} and "C4" in wrong
    assert "Số hộ" in wrong["C4"] and "Cách sửa" in wrong["C4"]

    # as it is: nothing changes but the file that says it
    history = world.history(commune)
    again = world.drop(commune, after, "tra_lai.xlsx")
    answered(world)
    second = world.submission(again)
    assert (second["state"], said(second), second["counts"]) == ("partly", said(first), first["counts"])
    assert codes(second) == codes(first) and world.history(commune) == history

    # mended: accepted, and its answer has none of the marks of the one before
    for address in wrong:
        book["Thôn"][address].value = {"C4": 9}.get(address, "Suối Đá")
    mended = world.drop(commune, saved(book), "da_sua.xlsx")
    answered(world)
    third = world.submission(mended)
    assert third["state"] == "accepted" and third["counts"]["accepted"] == len(ROWS)
    last = load_workbook(io.BytesIO(back(world, third["submission_id"])))
    assert last.sheetnames == [ANSWER_SHEET, "Thôn"] and not marked(last["Thôn"], "error")
    assert not [c for row in last["Thôn"].iter_rows() for c in row if c.comment and c.coordinate in wrong]
    assert world.submission(place)["state"] == "superseded"


def test_a_csv_comes_back_as_a_workbook_at_the_same_addresses(world: World) -> None:
    commune = world.communes[2]
    place = world.drop(commune, text_csv([HEAD, *ROWS]), "thon.csv")
    answered(world)
    answer = world.submission(place)
    book = load_workbook(io.BytesIO(back(world, answer["submission_id"])))
    sheet = book.worksheets[1]
    assert set(marked(sheet, "error")) == {a for a, _ in said(answer)} >= {"C3"}
    formula = sheet["A4"]
    assert formula.value == "=1+1" and formula.data_type == "s" and formula.quotePrefix
    for address in marked(sheet, "error"):
        sheet[address].value = {"C3": "9"}.get(address, "Suối Đá")
    mended = world.drop(commune, saved(book), "da_sua.xlsx")
    answered(world)
    assert world.submission(mended)["state"] == "accepted"


def test_a_long_list_comes_back_with_every_row_or_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With some of its rows it would say, once mended and sent back, that the others ended."""
    rows = [(f"Bình {n}", "Thôn", "mười" if n == 250 else 5, 20) for n in range(300)]
    place = world.drop(world.communes[2], text_csv([HEAD, *rows]), "thon.csv")
    answered(world)
    name = world.submission(place)["submission_id"]
    book = load_workbook(io.BytesIO(back(world, name)))
    assert book.worksheets[1].max_row == 301 and "C252" in marked(book.worksheets[1], "error")
    assert [c.value for c in book.worksheets[1]["A"]][1:] == [r[0] for r in rows]
    monkeypatch.setattr("assets.returns.returned.ROWS", 300)
    answered(world)
    book = load_workbook(io.BytesIO(back(world, name)))
    assert book.sheetnames == [ANSWER_SHEET] and messages.text("returned", "too_large") in texts(book.worksheets[0])


def test_of_what_must_not_be_kept_or_cannot_be_read_only_our_sheet_comes_back(world: World) -> None:
    a, b, c, d = world.communes[1:5]
    places = [
        world.drop(a, workbook([("TUYỆT MẬT",), HEAD, *ROWS])),
        world.drop(b, workbook([HEAD, *ROWS])[:-200]),
        world.drop(c, b""),
        world.say(d, nothing_to_report=True),
    ]
    answered(world)
    for place in world.rows("select submission_id from intake.submission"):
        book = load_workbook(io.BytesIO(back(world, place[0])))
        assert book.sheetnames == [ANSWER_SHEET]
        assert "Bình An" not in texts(book.worksheets[0])
        refused = world.answer(place[0])["state"] == "rejected"
        assert (messages.text("returned", "alone") in texts(book.worksheets[0])) is refused
        assert (messages.text("returned", "no_cells") in texts(book.worksheets[0])) is not refused
    assert len(list((world.home / "returns").rglob("*.xlsx"))) == len(places)


def test_a_file_without_a_header_comes_back_whole(world: World) -> None:
    place = world.drop(world.communes[1], workbook([("Ghi chép",), ("a", "b"), (1, 2)], sheet="Sổ"))
    answered(world)
    answer = world.submission(place)
    book = load_workbook(io.BytesIO(back(world, answer["submission_id"])))
    assert answer["state"] == "rejected" and book.sheetnames == [ANSWER_SHEET, "Sổ"]
    assert answer["problems"][0]["remedy"] in texts(book.worksheets[0])


def test_totals_are_compared_on_the_sheet_and_marked(world: World) -> None:
    rows = [HEAD, *ROWS[:1], ROWS[3], ("Tổng cộng", None, 20, 99)]
    place = world.drop(world.communes[1], workbook(rows))
    answered(world)
    answer = world.submission(place)
    book = load_workbook(io.BytesIO(back(world, answer["submission_id"])))
    assert re.search(r"D4.*99.*71", texts(book.worksheets[0]))
    assert "99" in marked(book.worksheets[1], "warning")["D4"]


def test_a_sheet_of_that_name_without_our_mark_is_read(world: World) -> None:
    place = world.drop(world.communes[1], workbook([HEAD, ROWS[0]], sheet=ANSWER_SHEET))
    world.run()
    assert world.submission(place)["state"] == "accepted"


def test_what_was_not_told_yet_is_written_again(world: World) -> None:
    """Killed in the middle: a workbook is whole or not there, and the next run writes all whose state was not told."""
    place = world.drop(world.communes[1], villages(("Bình An", 12, 40)))
    world.run()
    name = world.submission(place)["submission_id"]
    pipeline = world.pipeline
    with world.connection() as connection:
        assert pipeline.answer(connection) == [name]
        first = back(world, name)
        next((world.home / "returns").rglob(f"{name}.xlsx")).unlink()
        assert pipeline.answer(connection) == [name]
    pipeline.close()
    assert back(world, name) == first
    assert not [p for p in (world.home / "returns").rglob(".*") if p.is_file()]
