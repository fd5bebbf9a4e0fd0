"""The given cases on villages: each has its outcome, whatever the order and number of runs in which it arrives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said

CASES = ("G02", "G04", "G06", "G07", "G08", "G09", "G10", "G12", "G16")


def _put(world: World, folder: Path, submission: dict[str, Any]) -> str:
    as_of = date.fromisoformat(submission["as_of"])
    return world.drop(
        submission["sender"],
        (folder / submission["path"]).read_bytes(),
        f"{submission['n']}_{Path(submission['path']).name}",
        period=f"{as_of.year}-Q{(as_of.month + 2) // 3}",
        at=datetime.fromisoformat(submission["received_at"]),
    )


def _submissions(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "case.json").read_text(encoding="utf-8"))["submissions"]
    return found


class Case:
    """A case after all its submissions have arrived: the world, and the places of the files by number."""

    def __init__(self, world: World, folder: Path, order: Sequence[int] | None = None, at_once: bool = False) -> None:
        self.world = world
        self.files: dict[int, str] = {}
        submissions = _submissions(folder)
        for i in order or range(len(submissions)):
            self.files[submissions[i]["n"]] = _put(world, folder, submissions[i])
            if not at_once:
                world.run()
        if at_once:
            world.run()

    def answer(self, n: int = 1) -> dict[str, Any]:
        return self.world.submission(self.files[n])


@pytest.fixture(scope="module")
def cases(make_world: Make, shared: Path) -> dict[str, Case]:
    """Every case in a world of its own, one run per submission."""
    folder = shared / "cases"
    return {g: Case(make_world(reference=folder / "_reference"), folder / g) for g in CASES}


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
    assert all(" ".join(r[1].split()) == r[1] and r[1] == __import__("unicodedata").normalize("NFC", r[1]) for r in history)
    assert case.answer(2)["counts"]["accepted"] == 3 and case.answer(2)["counts"]["quarantined"] == 0
    assert case.world.rows("select sum((summary #>> '{villages,opened}')::int) from core.publish")[0][0] == 3


def test_a_printed_form(cases: dict[str, Case]) -> None:
    case = cases["G06"]
    assert case.world.open_villages("05965") == {
        "Nà Lụa": (120, 488),
        "Bản Mây": (95, 401),
        "Pác Đào": (133, 560),
        "Tổ dân phố Khau": (210, 799),
    } or sorted(case.world.open_villages("05965").values()) == [(95, 401), (120, 488), (133, 560), (210, 799)]
    answered = case.answer()
    assert {(a[1:], rule) for a, rule in said(answered)} == {("16", "MISSING")}
    assert "TOTAL_DIFFERS" not in codes(answered)


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
    assert (case.answer(2)["state"], codes(case.answer(2))) == ("rejected", ["NO_DATA_ROWS"])
    assert (case.answer(3)["state"], codes(case.answer(3))) == ("held", ["ENDS_TOO_MANY"])
    assert case.answer(3)["problems"][0]["params"] == {"ended": 5, "before": 6, "limit": "30%"}


def test_files_that_are_not_what_their_names_say(cases: dict[str, Case]) -> None:
    case = cases["G12"]
    expected = {
        1: ("rejected", ["HTML_AS_WORKBOOK"]),
        2: ("accepted", ["CSV_AS_WORKBOOK"]),
        3: ("rejected", ["PASSWORD"]),
        4: ("rejected", ["DAMAGED_WORKBOOK"]),
        5: ("rejected", ["EMPTY_FILE"]),
        6: ("accepted", []),
    }
    assert {n: (case.answer(n)["state"], codes(case.answer(n))) for n in expected} == expected
    assert case.world.open_villages("05963") == {"Nà Lụa": (120, 488)}
    assert list(case.world.open_villages("05964")) == ["Pác Đào"]


def test_rows_that_a_database_would_refuse(cases: dict[str, Case]) -> None:
    case = cases["G16"]
    assert sorted(case.world.open_villages("05965")) == [f"Thôn {n:02}" for n in range(1, 60)]
    answered = case.answer()
    assert answered["counts"] | {"flagged": 0} == {
        "read": 62, "accepted": 59, "quarantined": 2, "set_aside": 1, "flagged": 0
    }  # fmt: skip
    assert {(int(a[1:]), rule) for a, rule in said(answered)} == {(61, "TOO_LONG"), (62, "OUT_OF_RANGE")}


@pytest.mark.parametrize("case", ["G04", "G09", "G10"])
def test_the_order_and_number_of_runs_do_not_matter(case: str, cases: dict[str, Case], make_world: Make, shared: Path) -> None:
    folder = shared / "cases"
    expected = cases[case].world.history()
    count = len(_submissions(folder / case))
    orders = list(permutations(range(count)))
    for order in orders[1:]:
        other = Case(make_world(reference=folder / "_reference"), folder / case, order)
        assert other.world.history() == expected, order
        assert [other.answer(n)["state"] for n in other.files] == [cases[case].answer(n)["state"] for n in other.files]
    assert Case(make_world(reference=folder / "_reference"), folder / case, at_once=True).world.history() == expected


def test_all_cases_at_once_end_as_each_alone(cases: dict[str, Case], make_world: Make, shared: Path) -> None:
    """Other senders' files in the same run change nothing; senders that occur in several cases are left to one."""
    folder = shared / "cases"
    world = make_world(reference=folder / "_reference")
    taken: dict[str, str] = {}
    for g in CASES:
        for submission in _submissions(folder / g):
            if taken.setdefault(submission["sender"], g) == g:
                _put(world, folder / g, submission)
    world.run()
    for sender, g in taken.items():
        assert world.history(sender) == cases[g].world.history(sender), (sender, g)
