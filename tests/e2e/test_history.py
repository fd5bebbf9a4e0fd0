"""What lists, corrections and decisions come to over time: many stories, each of one commune, told side by side.

A story is a generator that drops files or decides, then yields for a run. All stories share the runs, so what one commune
does must not show in another; the number of runs is that of the longest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from assets.core.decisions import CannotDecide, decide, waive, withdraw
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, codes, said, villages, worded, workbook

Q4, Q1, Q2, Q3 = (date(2025, 12, 31), date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30))
PERIODS = {Q4: "2025-Q4", Q1: "2026-Q1", Q2: "2026-Q2", Q3: "2026-Q3"}
SIX = [(f"Thôn {x}", n, 10 * n) for n, x in enumerate("ABCDEF", 11)]


class Commune:
    """A commune telling its story."""

    def __init__(self, world: World, sender: str) -> None:
        self.world, self.sender = world, sender
        self.files = 0

    def send(self, quarter: date, *rows: tuple[Any, ...], data: bytes | None = None, **more: Any) -> str:
        self.files += 1
        name = more.pop("name", f"thon_{self.files}.xlsx")
        return self.world.drop(
            self.sender, villages(*rows) if data is None else data, name, period=PERIODS[quarter], **more
        )

    def history(self) -> list[tuple[Any, ...]]:
        """(name, households, from, to) of all versions."""
        return [(r[1], r[2], r[4], r[5]) for r in self.world.history(self.sender)]

    def now(self) -> dict[str, int]:
        """Name -> households of what is open."""
        return {name: n for name, n, _, to in self.history() if to is None}

    def state(self, place: str) -> tuple[str, list[str]]:
        answered = self.world.submission(place)
        return answered["state"], codes(answered)

    def id(self, place: str) -> str:
        return str(self.world.submission(place)["submission_id"])

    def decide(self, place: str, accept: bool) -> None:
        with self.world.connection() as connection:
            decide(connection, self.id(place), accept=accept, reason="đã gọi điện", by="tỉnh")

    def withdraw(self, place: str) -> None:
        with self.world.connection() as connection:
            withdraw(connection, self.id(place), reason="gửi nhầm", by="tỉnh")

    def waive(self, place: str, rule: str, row: int) -> None:
        with self.world.connection() as connection:
            waive(connection, self.id(place), rule=rule, row=row, reason="đúng là như vậy", by="tỉnh")


Story = Callable[[Commune], Iterator[None]]
STORIES: dict[str, Story] = {}


def story(tell: Story) -> Story:
    STORIES[tell.__name__] = tell
    return tell


def _open(*rows: tuple[Any, ...]) -> dict[str, int]:
    return {r[0]: r[1] for r in rows}


@story
def late_periods_and_a_correction_of_an_old_one(c: Commune) -> Iterator[None]:
    c.send(Q4, ("A", 1, 9), ("B", 1, 9))
    yield
    c.send(Q3, ("A", 4, 9), ("B", 1, 9))
    yield
    c.send(Q1, ("A", 2, 9), ("B", 1, 9))
    yield
    c.send(Q2, ("A", 3, 9), ("B", 1, 9))
    yield
    expected = [("A", n, a, b) for n, a, b in [(1, Q4, Q1), (2, Q1, Q2), (3, Q2, Q3), (4, Q3, None)]]
    assert c.history() == [*expected, ("B", 1, Q4, None)]
    first = c.id("2026-Q1/" + c.sender + "/thon_3.xlsx")
    c.send(Q1, ("A", 22, 9), ("B", 1, 9))
    yield
    expected[1] = ("A", 22, Q1, Q2)
    assert c.history() == [*expected, ("B", 1, Q4, None)]
    assert c.world.answer(first)["state"] == "superseded"


@story
def a_quarter_never_sent(c: Commune) -> Iterator[None]:
    c.send(Q4, ("A", 1, 9), ("B", 1, 9))
    c.send(Q3, ("A", 2, 9), ("B", 1, 9))
    yield
    assert c.history() == [("A", 1, Q4, Q3), ("A", 2, Q3, None), ("B", 1, Q4, None)]


@story
def a_correction_that_changes_back_what_came_between(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9), ("B", 5, 9))
    c.send(Q2, ("A", 2, 9), ("B", 5, 9))
    c.send(Q3, ("A", 1, 9), ("B", 5, 9))
    yield
    assert c.history() == [("A", 1, Q1, Q2), ("A", 2, Q2, Q3), ("A", 1, Q3, None), ("B", 5, Q1, None)]
    c.send(Q2, ("A", 1, 9), ("B", 5, 9))
    yield
    assert c.history() == [("A", 1, Q1, None), ("B", 5, Q1, None)]


@story
def an_empty_list_and_then_nothing_to_report(c: Commune) -> Iterator[None]:
    c.send(Q1, *SIX)
    yield
    empty = c.send(Q2, data=workbook([HEAD]))
    titles = c.send(
        Q2, data=workbook([("DANH SÁCH THÔN",), HEAD, ("(1)", "(2)", "(3)", "(4)"), (None, "Tổng cộng", 0, 0)])
    )
    yield
    assert c.state(empty) == ("rejected", ["NO_DATA_ROWS"])
    assert c.state(titles)[0] == "rejected" and "NO_DATA_ROWS" in c.state(titles)[1]
    assert c.now() == _open(*SIX)
    stated = c.send(Q2, data=workbook([HEAD]), sidecar={"nothing_to_report": True})
    yield
    assert c.state(stated) == ("held", ["ENDS_TOO_MANY"])
    assert c.now() == _open(*SIX)
    c.decide(stated, accept=True)
    yield
    assert c.state(stated) == ("accepted", [])
    assert c.history() == [(name, n, Q1, Q2) for name, n, _ in SIX]


@story
def nothing_to_report_from_the_first(c: Commune) -> Iterator[None]:
    place = c.world.say(c.sender, dataset="villages", nothing_to_report=True)
    yield
    assert c.state(place) == ("accepted", [])
    assert c.history() == []
    assert c.world.submission(place)["counts"]["read"] == 0


@story
def a_shrunken_list_accepted(c: Commune) -> Iterator[None]:
    c.send(Q1, *SIX)
    shrunk = c.send(Q2, *SIX[:3])
    yield
    assert c.state(shrunk) == ("held", ["ENDS_TOO_MANY"])
    assert c.history() == [(name, n, Q1, None) for name, n, _ in SIX]
    c.decide(shrunk, accept=True)
    yield
    assert c.state(shrunk) == ("accepted", [])
    assert c.history() == [(name, n, Q1, Q2 if i >= 3 else None) for i, (name, n, _) in enumerate(SIX)]


@story
def a_shrunken_list_refused_and_sent_again(c: Commune) -> Iterator[None]:
    c.send(Q1, *SIX)
    shrunk = c.send(Q2, *SIX[:1])
    yield
    c.decide(shrunk, accept=False)
    yield
    assert c.state(shrunk) == ("held", ["ENDS_TOO_MANY", "REFUSED"])
    full = c.send(Q2, *SIX[:5], ("Thôn F", 99, 999))
    yield
    assert c.state(full) == ("accepted", [])
    assert c.now() == _open(*SIX[:5], ("Thôn F", 99))


@story
def a_decision_lapses_with_its_predecessor(c: Commune) -> Iterator[None]:
    c.send(Q1, *SIX)
    shrunk = c.send(Q3, *SIX[:3])
    yield
    c.decide(shrunk, accept=True)
    yield
    assert len(c.now()) == 3
    c.send(Q2, *SIX)  # the list before it is another one now: what was decided was about Q1 and Q3
    yield
    assert c.state(shrunk) == ("held", ["ENDS_TOO_MANY"])
    assert c.now() == _open(*SIX)
    c.decide(shrunk, accept=True)
    yield
    assert c.state(shrunk) == ("accepted", [])
    assert len(c.now()) == 3


@story
def a_held_list_is_released_by_its_predecessor(c: Commune) -> Iterator[None]:
    wrong = c.send(Q1, *SIX)
    shrunk = c.send(Q2, *SIX[:3])
    yield
    assert c.state(shrunk)[0] == "held"
    c.withdraw(wrong)
    yield
    assert c.state(shrunk) == ("accepted", [])
    assert c.state(wrong)[0] == "withdrawn"
    assert c.history() == [(name, n, Q2, None) for name, n, _ in SIX[:3]]


@story
def a_withdrawal_brings_the_earlier_one_back(c: Commune) -> Iterator[None]:
    first = c.send(Q2, ("A", 1, 9), ("B", 1, 9))
    second = c.send(Q2, ("A", 2, 9), ("B", 1, 9))
    yield
    assert (c.state(first)[0], c.now()) == ("superseded", {"A": 2, "B": 1})
    c.withdraw(second)
    yield
    assert (c.state(first)[0], c.state(second)[0]) == ("accepted", "withdrawn")
    assert c.now() == {"A": 1, "B": 1}
    third = c.send(Q2, ("A", 3, 9), ("B", 1, 9))
    yield
    assert (c.state(third)[0], c.now()) == ("accepted", {"A": 3, "B": 1})


@story
def a_sidecar_withdraws(c: Commune) -> Iterator[None]:
    first = c.send(Q2, ("A", 1, 9), ("B", 1, 9))
    second = c.send(Q2, ("A", 2, 9), ("B", 1, 9))
    yield
    alone = c.world.say(c.sender, "rut.yaml", dataset="villages", withdraws=c.id(second))
    yield
    assert c.state(second)[0] == "withdrawn"
    assert c.state(first)[0] == "accepted"
    assert c.now() == {"A": 1, "B": 1}
    assert c.state(alone) == ("accepted", [])
    c.withdraw(alone)  # the withdrawal itself is taken back: what it took away stands again
    yield
    assert (c.state(alone)[0], c.state(first)[0], c.state(second)[0]) == ("withdrawn", "superseded", "accepted")
    assert c.now() == {"A": 2, "B": 1}
    third = c.send(Q2, ("A", 3, 9), ("B", 1, 9), sidecar={"withdraws": c.id(second)})
    yield
    assert [c.state(p)[0] for p in (first, second, third)] == ["superseded", "withdrawn", "accepted"]
    assert c.now() == {"A": 3, "B": 1}


@story
def a_sidecar_cannot_withdraw_what_another_sent(c: Commune) -> Iterator[None]:
    neighbour = Commune(c.world, c.world.communes[-2])
    theirs = neighbour.send(Q2, ("A", 1, 9))
    c.send(Q2, ("A", 1, 9))
    yield
    c.send(Q2, ("A", 2, 9), sidecar={"withdraws": c.id(theirs)})
    alone = c.world.say(c.sender, "rut.yaml", dataset="villages", withdraws=c.id(theirs))
    yield
    assert c.state(theirs) == ("accepted", [])
    assert c.now() == {"A": 2}
    assert c.state(alone) == ("accepted", [])


@story
def an_older_version_sent_again_is_held(c: Commune) -> Iterator[None]:
    old = villages(("A", 1, 9), ("B", 1, 9))
    c.send(Q2, data=old)
    second = c.send(Q2, ("A", 2, 9), ("B", 1, 9))
    again = c.send(Q2, data=old)
    yield
    assert c.state(again) == ("held", ["RESEND_OF_OLDER"])
    assert c.now() == {"A": 2, "B": 1}
    c.decide(again, accept=True)
    yield
    assert (c.state(again)[0], c.state(second)[0]) == ("accepted", "superseded")
    assert c.now() == {"A": 1, "B": 1}


@story
def the_same_bytes_are_a_no_op(c: Commune) -> Iterator[None]:
    data = villages(("A", 1, 9), ("B", 1, 9))
    first = c.send(Q1, data=data)
    yield
    again = c.send(Q1, data=data, name="gui_lai.xlsx")
    next_quarter = c.send(Q2, data=data)
    yield
    assert c.state(first) == ("accepted", [])
    assert c.state(again)[0] == "repeated"
    assert [p["code"] for p in c.world.submission(again)["problems"]] == ["SAME_AS_IN_FORCE"]
    assert c.state(next_quarter) == ("accepted", [])
    assert c.history() == [("A", 1, Q1, None), ("B", 1, Q1, None)]


@story
def a_file_written_over(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9), name="thon.xlsx")
    yield
    place = c.send(Q1, ("A", 2, 9), name="thon.xlsx")
    yield
    assert [a["state"] for a in c.world.submissions(place)] == ["superseded", "accepted"]
    assert c.history() == [("A", 2, Q1, None)]


@story
def a_sidecar_states_the_day(c: Commune) -> Iterator[None]:
    inside, outside = date(2026, 5, 20), date(2026, 7, 20)
    c.send(Q2, ("A", 1, 9), sidecar={"as_of": inside.isoformat()})
    late = c.send(Q2, ("A", 2, 9), sidecar=f"as_of: {outside}\n")  # YAML's own date
    yield
    assert c.history() == [("A", 1, inside, None)]
    assert c.state(late) == ("held", ["AS_OF_OUTSIDE_PERIOD"])
    assert c.world.submission(late)["as_of_source"] == "sidecar"
    c.decide(late, accept=True)
    yield
    assert c.history() == [("A", 2, outside, None)]


@story
def sidecars_that_say_nothing_useful(c: Commune) -> Iterator[None]:
    bad = {
        "a": "as_of: 31/06/2026",
        "b": "as_of: [1]",
        "c": "dataset: khong_co",
        "d": "la: 1",
        "e": "- 1",
        "f": "a: b: c",
        "g": "nothing_to_report: có",
        "h": "",
        "i": "dataset: unit_changes",
        "j": "\x00",
        "k": 'dataset: "villages\\0"',
        "l": 'withdraws: "S\\uD800"',
        "m": '"la\\0": 1',
    }
    places = {k: c.send(Q2, ("A", 1, 9), name=f"{k}.xlsx", sidecar=text) for k, text in bad.items()}
    alone = c.world.say(c.sender, "rieng.yaml", nothing_to_report=True)
    stray = c.world.say(c.sender, "la.yaml", dataset="villages")
    yield
    found = {k: c.state(place) for k, place in places.items()}
    assert found.pop("i")[0] == "rejected"
    assert found == {k: ("rejected", ["BAD_SIDECAR"]) for k in found}
    assert c.state(alone) == ("rejected", ["BAD_SIDECAR"])
    assert c.state(stray)[0] == "rejected"
    assert c.history() == []


@story
def a_quarantined_row_keeps_its_last_value(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9), ("B", 1, 9), ("C", 1, 9))
    damaged = c.send(Q2, ("A", "1x", 9), ("B", 2, 9), ("C", 1, 9))
    yield
    assert c.history() == [("A", 1, Q1, None), ("B", 1, Q1, Q2), ("B", 2, Q2, None), ("C", 1, Q1, None)]
    carried = {r[1]: r[6] for r in c.world.history(c.sender) if r[5] is None}
    assert carried == {"A": Q2, "B": None, "C": None}
    assert c.state(damaged) == ("partly", [])
    c.send(Q2, ("A", 7, 9), ("B", 2, 9), ("C", 1, 9))
    yield
    assert c.history()[:2] == [("A", 1, Q1, Q2), ("A", 7, Q2, None)]
    assert {r[6] for r in c.world.history(c.sender)} == {None}


@story
def damage_to_a_correction_leaves_the_original(c: Commune) -> Iterator[None]:
    c.send(Q2, ("A", 1, 9), ("B", 1, 9))
    yield
    c.send(Q2, ("A", "?", 9), ("B", 2, 9))
    yield
    assert c.now() == {"A": 1, "B": 2}


@story
def a_row_without_a_readable_key_ends_nobody(c: Commune) -> Iterator[None]:
    c.send(Q1, *SIX)
    damaged = c.send(Q2, *SIX[:4], (None, 15, 150), ("#REF!", 16, 160))
    yield
    assert c.state(damaged) == ("partly", [])
    assert c.now() == _open(*SIX)
    c.decide(damaged, accept=True)  # somebody has looked: the two are gone
    yield
    assert c.now() == _open(*SIX[:4])
    c.send(Q3, *SIX)
    yield
    assert c.history()[-1] == ("Thôn F", 16, Q3, None)


@story
def a_village_ends_and_comes_back(c: Commune) -> Iterator[None]:
    c.send(Q4, *SIX)
    c.send(Q1, *SIX[:5])
    c.send(Q3, *SIX)
    yield
    assert c.history()[-2:] == [("Thôn F", 16, Q4, Q1), ("Thôn F", 16, Q3, None)]


@story
def a_village_comes_back_in_a_damaged_row(c: Commune) -> Iterator[None]:
    c.send(Q4, *SIX)
    c.send(Q1, *SIX[:5])
    c.send(Q3, *SIX[:5], ("Thôn F", "?", 160))
    yield
    assert c.history()[-2:] == [("Thôn F", 16, Q4, Q1), ("Thôn F", 16, Q3, None)]
    assert {r[6] for r in c.world.history(c.sender) if r[1] == "Thôn F"} == {None, Q3}


@story
def two_rows_that_contradict_each_other_are_present(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9), ("B", 1, 9))
    both = c.send(Q2, ("A", 2, 9), ("A", 3, 9), ("B", 1, 9), ("B", 1, 9))
    yield
    assert c.now() == {"A": 1, "B": 1}
    answered = c.world.submission(both)
    assert said(answered) == {("A2", "DUPLICATE_KEY"), ("A3", "DUPLICATE_KEY")}
    assert answered["set_aside"] == {"HEADER": 1, "REPEAT": 1}


@story
def one_of_two_contradicting_rows_is_chosen(c: Commune) -> Iterator[None]:
    both = c.send(Q2, ("A", 2, 9), ("A", 3, 9), ("B", 1, 9), (None, 4, 9))
    yield
    assert c.now() == {"B": 1}
    c.waive(both, "DUPLICATE_KEY", 3)
    with pytest.raises(CannotDecide, match="row 3 was chosen"):
        c.waive(both, "DUPLICATE_KEY", 2)
    with pytest.raises(CannotDecide, match="no readable key"):
        c.waive(both, "MISSING", 5)
    with pytest.raises(CannotDecide, match="no error"):
        c.waive(both, "MISSING", 4)
    yield
    assert c.now() == {"A": 3, "B": 1}
    counts = c.world.submission(both)["counts"]
    assert (counts["accepted"], counts["quarantined"]) == (2, 2)


@story
def an_accepted_list_is_refused_later(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9))
    second = c.send(Q2, ("A", 2, 9))
    yield
    assert c.now() == {"A": 2}
    c.decide(second, accept=False)
    yield
    assert c.state(second) == ("held", ["REFUSED"])
    assert c.history() == [("A", 1, Q1, None)]
    c.decide(second, accept=True)
    yield
    assert c.state(second) == ("accepted", [])
    assert c.now() == {"A": 2}


@story
def a_waived_row_enters(c: Commune) -> Iterator[None]:
    place = c.send(Q2, ("A", 30_000, 90_000), ("B", 30_001, 100_001), ("C", 1, 9))
    yield
    assert c.now() == {"C": 1}
    c.waive(place, "households_bounds", 2)
    c.waive(place, "households_bounds", 3)  # its population is still out of bounds
    with pytest.raises(CannotDecide):
        c.waive(place, "households_bounds", 4)
    yield
    assert c.now() == {"A": 30_000, "C": 1}
    answered = c.world.submission(place)
    assert (answered["state"], answered["counts"]["accepted"], answered["counts"]["quarantined"]) == ("partly", 2, 1)
    assert {(r["address"], r["waived"]) for r in answered["rows"]} == {("C2", True), ("C3", True), ("D3", False)}
    c.waive(place, "population_bounds", 3)
    yield
    assert c.now() == {"A": 30_000, "B": 30_001, "C": 1}
    assert c.state(place) == ("accepted", [])


@story
def a_list_of_another_commune(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9))
    foreign = c.world.communes[-1]
    head = ("Mã xã", "Tên thôn", "Số hộ", "Số khẩu")
    wrong = c.send(Q2, data=workbook([head, (foreign, "A", 5, 9), (foreign, "B", 5, 9)]))
    yield
    assert c.state(wrong) == ("held", ["ENDS_TOO_MANY", "NOTHING_OF_ITS_OWN"])
    mixed = c.send(Q2, data=workbook([head, (foreign, "Z", 5, 9), (c.sender, "A", 6, 9), ("99999", "B", 7, 9)]))
    yield
    answered = c.world.submission(mixed)
    assert answered["set_aside"] == {"HEADER": 1, "OUT_OF_SCOPE": 1}
    assert said(answered) == {("A4", "UNKNOWN_UNIT")}
    assert c.now() == {"A": 6}
    assert c.world.history(foreign) == []


@story
def too_many_bad_rows(c: Commune) -> Iterator[None]:
    bad = c.send(Q2, ("A", 1, 9), *((f"X{n}", "nhiều", 9) for n in range(9)))
    yield
    assert c.state(bad) == ("held", ["TOO_MANY_BAD_ROWS"])
    assert c.now() == {}
    c.decide(bad, accept=True)
    yield
    assert (c.state(bad), c.now()) == (("partly", []), {"A": 1})


@story
def all_rows_bad(c: Commune) -> Iterator[None]:
    c.send(Q1, ("A", 1, 9), ("B", 1, 9))
    bad = c.send(Q2, ("A", "x", 9), ("B", None, 9))
    yield
    assert c.state(bad) == ("held", ["TOO_MANY_BAD_ROWS"])
    assert c.now() == {"A": 1, "B": 1}
    assert len(said(c.world.submission(bad))) == 2


@story
def seventy_rows_of_which_the_last_are_bad(c: Commune) -> Iterator[None]:
    rows: list[tuple[Any, ...]] = [(f"Thôn {n}", n, n) for n in range(1, 69)]
    place = c.send(Q2, *rows, ("Thôn " + "x" * 300, 1, 1), ("Thôn cuối", 10**15, 1))
    yield
    assert len(c.now()) == 68
    assert said(c.world.submission(place)) == {("A70", "TOO_LONG"), ("C71", "OUT_OF_RANGE")}


class Told:
    """All stories told to their end, and how each ended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: dict[str, BaseException] = {}
        going: dict[str, Iterator[None]] = {}
        for sender, (name, tell) in zip(world.communes, STORIES.items(), strict=False):
            going[name] = tell(Commune(world, sender))
        self.runs = 0
        while going:
            for name, steps in list(going.items()):
                try:
                    next(steps)
                except StopIteration:
                    del going[name]
                except BaseException as fault:
                    self.faults[name] = fault
                    del going[name]
            if going:
                world.run()
                self.runs += 1


@pytest.fixture(scope="module")
def told(make_world: Make) -> Told:
    return Told(make_world())


@pytest.mark.parametrize("name", STORIES)
def test_a_story(name: str, told: Told) -> None:
    if name in told.faults:
        raise told.faults[name]


def test_every_published_version_is_found_in_a_cell(told: Told) -> None:
    assert told.world.proved() > 100


def test_every_answer_is_well_worded(told: Told) -> None:
    for answered in told.world.answers():
        worded(answered)
