"""The given cases on villages: each has its outcome, whatever the order and number of runs in which it arrives."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said

WORLDS = (("G02", "G04", "G08", "G09", "G10"), ("G06", "G07"), ("G12",), ("G16",))
"""Cases of different senders share a world: what one sends changes nothing for another."""


def _submissions(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "case.json").read_text(encoding="utf-8"))["submissions"]
    return found


def _put(world: World, folder: Path, submission: dict[str, Any]) -> str:
    as_of = date.fromisoformat(submission["as_of"])
    return world.drop(
        submission["sender"],
        (folder / submission["path"]).read_bytes(),
        f"{submission['n']}_{Path(submission['path']).name}",
        period=f"{as_of.year}-Q{(as_of.month + 2) // 3}",
        at=datetime.fromisoformat(submission["received_at"]),
    )


class Case:
    """A case that has arrived: its world, and the places of its files by number."""

    def __init__(self, world: World, files: dict[int, str]) -> None:
        self.world, self.files = world, files

    def answer(self, n: int = 1) -> dict[str, Any]:
        return self.world.submission(self.files[n])


def _arrive(
    world: World, folder: Path, names: Sequence[str], orders: dict[str, Sequence[int]] | None = None
) -> dict[str, Case]:
    """The submissions of some cases, the first of each before one run, the second of each before the next, ..."""
    submissions = {g: _submissions(folder / g) for g in names}
    for g, order in (orders or {}).items():
        submissions[g] = [submissions[g][i] for i in order]
    found: dict[str, Case] = {g: Case(world, {}) for g in names}
    for step in range(max(map(len, submissions.values()))):
        for g in names:
            if step < len(submissions[g]):
                submission = submissions[g][step]
                found[g].files[submission["n"]] = _put(world, folder / g, submission)
        world.run()
    return found


@pytest.fixture(scope="module")
def cases(make_world: Make, shared: Path) -> dict[str, Case]:
    """Every case, in the order in which its submissions are listed."""
    folder = shared / "cases"
    found: dict[str, Case] = {}
    for names in WORLDS:
        world = make_world(reference=folder / "_reference")
        if len(names) == 1:  # nothing in it depends on a run in between
            found |= {
                g: Case(world, {s["n"]: _put(world, folder / g, s) for s in _submissions(folder / g)}) for g in names
            }
            world.run()
        else:
            found |= _arrive(world, folder, names)
    return found


def test_numbers_as_vietnamese_text(cases: dict[str, Case]) -> None:
    case = cases["G02"]
    assert case.world.open_villages("05961") == {
        "Nà Lụa": (312, 1234),
        "Bản Mây": (1045, 4102),
        "Pác Đào": (98, 402),
        "Khau Sương": (205, 870),
    }
    assert {(a[1:], rule) for a, rule in said(case.answer())} == {("6", "PENDING_VALUE"), ("7", "NOT_WHOLE")}


def test_another_unicode_form_is_the_same_text(cases: dict[str, Case]) -> None:
    case = cases["G04"]
    history = case.world.history("05963")
    assert [(r[4], r[5]) for r in history] == [(date(2026, 6, 30), None)] * 3
    assert all(" ".join(r[1].split()) == unicodedata.normalize("NFC", r[1]) == r[1] for r in history)
    assert case.answer(2)["counts"]["accepted"] == 3 and case.answer(2)["counts"]["quarantined"] == 0
    opened = "select count(*), count(publish_to) from core.villages where commune_code = '05963'"
    assert case.world.rows(opened) == [(3, 0)]


def test_a_printed_form(cases: dict[str, Case]) -> None:
    case = cases["G06"]
    assert case.world.open_villages("05965") == {
        "Nà Lụa": (120, 488),
        "Bản Mây": (95, 401),
        "Pác Đào": (133, 560),
        "Tổ dân phố Khau": (210, 799),
    }
    answered = case.answer()
    assert said(answered) == {("E16", "MISSING")}
    assert answered["set_aside"] == {"TITLE": 3, "HEADER": 3, "SECTION": 2, "TOTAL": 2, "NOTE": 3}
    # the form's grand total adds the sub-total once more: SUM(E11:E18) over rows that hold 'Cộng'
    assert [p["params"] for p in answered["problems"]] == [
        {"address": "E19", "stated": "906", "computed": 558},
        {"address": "F19", "stated": "3907", "computed": 2458},
    ]


def test_error_cells_and_formulas_never_calculated(cases: dict[str, Case]) -> None:
    case = cases["G07"]
    assert case.world.open_villages("05961") == {"Nà Lụa": (120, 488), "Bản Mây": (95, 401)}
    found = {(int(a[1:]), rule) for a, rule in said(case.answer())}
    assert found == {(4, "EXCEL_ERROR"), (5, "UNCALCULATED"), (6, "EXCEL_ERROR")}


def test_a_csv_of_vietnamese_excel_with_names_that_look_missing(cases: dict[str, Case]) -> None:
    case = cases["G08"]
    assert set(case.world.open_villages("05962")) == {"NA", "NULL", "None", "nan", "Bản Đào; Mây"}
    assert {(a[1:], rule) for a, rule in said(case.answer())} == {("7", "MISSING")}


LATE = [
    ("05965", "Bản Mây", 95, 401, date(2025, 12, 31), None, None),
    ("05965", "Nà Lụa", 118, 480, date(2025, 12, 31), date(2026, 3, 31), None),
    ("05965", "Nà Lụa", 119, 484, date(2026, 3, 31), date(2026, 6, 30), None),
    ("05965", "Nà Lụa", 120, 488, date(2026, 6, 30), None, None),
]


def test_late_data(cases: dict[str, Case]) -> None:
    world = cases["G09"].world
    assert world.history("05965") == LATE
    (version,) = world.trace("villages", at=date(2026, 5, 1), commune_code="05965", village_name="Nà Lụa")
    assert version.values["households"] == 119


def test_an_empty_or_broken_off_list_ends_nobody(cases: dict[str, Case]) -> None:
    case = cases["G10"]
    history = case.world.history("05966")
    assert len(history) == 6 and all(r[4:6] == (date(2026, 3, 31), None) for r in history)
    empty, shrunk = case.answer(2), case.answer(3)
    assert (empty["state"], codes(empty)) == ("rejected", ["NO_DATA_ROWS"])
    assert (shrunk["state"], codes(shrunk)) == ("held", ["ENDS_TOO_MANY"])
    assert shrunk["problems"][-1]["params"] == {"ended": 5, "before": 6, "limit": "30%"}


def test_files_that_are_not_what_their_names_say(cases: dict[str, Case]) -> None:
    case = cases["G12"]
    expected = {
        1: ("superseded", ["HTML_AS_WORKBOOK"]),  # read by its content, and replaced by the sound file
        # read by its content too; but it lies in the folder of another commune than the one that it names
        2: ("held", ["CSV_AS_WORKBOOK", "NOTHING_OF_ITS_OWN"]),
        3: ("rejected", ["PASSWORD"]),
        4: ("rejected", ["DAMAGED_WORKBOOK"]),
        5: ("rejected", ["EMPTY_FILE"]),
        6: ("accepted", []),
    }
    assert {n: (case.answer(n)["state"], codes(case.answer(n))) for n in expected} == expected
    assert case.world.open_villages("05963") == {"Nà Lụa": (120, 488)}
    assert case.world.open_villages("05964") == {}


def test_rows_that_a_database_would_refuse(cases: dict[str, Case]) -> None:
    case = cases["G16"]
    assert sorted(case.world.open_villages("05965")) == [f"Thôn {n:02}" for n in range(1, 60)]
    answered = case.answer()
    assert answered["counts"] | {"flagged": 0} == {
        "read": 62, "accepted": 59, "quarantined": 2, "set_aside": 1, "flagged": 0
    }  # fmt: skip
    assert {(int(a[1:]), rule) for a, rule in said(answered)} == {(61, "TOO_LONG"), (62, "OUT_OF_RANGE")}


@pytest.fixture(scope="module")
def several(cases: dict[str, Case]) -> list[tuple[Any, ...]]:
    """What the cases with several submissions come to."""
    return [row for sender in ("05963", "05965", "05966") for row in cases["G09"].world.history(sender)]


@pytest.mark.parametrize("order", list(permutations(range(3)))[1:], ids=lambda o: "".join(str(i + 1) for i in o))
def test_the_order_of_arrival_does_not_matter(
    order: tuple[int, ...], several: list[tuple[Any, ...]], cases: dict[str, Case], make_world: Make, shared: Path
) -> None:
    world = make_world(reference=shared / "cases" / "_reference")
    two = [i for i in order if i < 2]
    found = _arrive(world, shared / "cases", ("G04", "G09", "G10"), {"G04": two, "G09": order, "G10": order})
    assert world.history() == several
    for name, case in found.items():
        assert [case.answer(n)["state"] for n in (1, 2)] == [cases[name].answer(n)["state"] for n in (1, 2)]


def test_the_number_of_runs_does_not_matter(
    several: list[tuple[Any, ...]], cases: dict[str, Case], make_world: Make, shared: Path
) -> None:
    folder = shared / "cases"
    world = make_world(reference=folder / "_reference")
    for name in WORLDS[0]:
        for submission in _submissions(folder / name):
            _put(world, folder / name, submission)
    world.run()
    assert world.history() == cases["G09"].world.history()
    before = world.counts()
    ran = world.run()
    assert (ran.received, ran.staged, ran.rejected, ran.published) == ([], [], [], None)
    after = world.counts()
    # an attempt to publish that finds nothing leaves a swept number behind, and nothing else
    assert {t for t in after if after[t] != before[t]} <= {"core.publish"}
