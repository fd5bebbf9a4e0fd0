"""The history that follows from snapshots, on examples small enough to be checked by eye."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sample.truth import Version
from pipelines.sample.world import Snapshot, Village, history, last_day, live

Q4, Q1, Q2 = date(2025, 12, 31), date(2026, 3, 31), date(2026, 6, 30)
LUA, MAY = Village("Nà Lụa", "THON", 118, 480), Village("Bản Mây", "THON", 95, 401)
MANY = tuple(Village(f"Thôn {n}", "THON", 50 + n, 200 + n) for n in range(1, 7))


def spans(versions: list[Version], name: str) -> list[tuple[int, date, date | None]]:
    return [(v.households, v.valid_from, v.valid_to) for v in versions if v.village_name == name]


def test_a_change_makes_a_version_and_equal_values_make_one() -> None:
    changed = Village("Nà Lụa", "THON", 119, 484)
    versions, held = history("05965", [Snapshot(Q2, (changed, MAY)), Snapshot(Q4, (LUA, MAY))])
    assert held == []
    assert spans(versions, "Nà Lụa") == [(118, Q4, Q2), (119, Q2, None)]
    assert spans(versions, "Bản Mây") == [(95, Q4, None)]


def test_an_absent_village_ends_at_the_snapshot_that_lacks_it() -> None:
    versions, held = history("05965", [Snapshot(Q4, MANY), Snapshot(Q1, MANY[1:]), Snapshot(Q2, MANY)])
    assert held == []
    assert spans(versions, "Thôn 1") == [(51, Q4, Q1), (51, Q2, None)]


def test_a_snapshot_that_ends_too_many_changes_nothing() -> None:
    broken_off = Snapshot(Q1, MANY[:4])
    versions, held = history("05966", [Snapshot(Q4, MANY), broken_off])
    assert held == [broken_off]
    assert [v.valid_to for v in versions] == [None] * 6


def test_a_bad_row_with_a_key_keeps_its_last_value() -> None:
    snapshot = Snapshot(Q1, MANY[1:], carried=frozenset({"Thôn 1"}))
    versions, _ = history("05966", [Snapshot(Q4, MANY), snapshot])
    assert spans(versions, "Thôn 1") == [(51, Q4, None)]


def test_a_bad_row_without_a_key_ends_nobody_until_the_next_snapshot() -> None:
    nameless = Snapshot(Q1, MANY[2:], without_key=1)
    versions, _ = history("05966", [Snapshot(Q4, MANY), nameless, Snapshot(Q2, MANY[1:])])
    assert spans(versions, "Thôn 1") == [(51, Q4, Q2)]
    assert spans(versions, "Thôn 2") == [(52, Q4, None)]


@pytest.mark.parametrize(("label", "day"), [("2025-Q4", Q4), ("2026-Q1", Q1), ("2026-Q2", Q2)])
def test_last_day(label: str, day: date) -> None:
    assert last_day(label) == day


@pytest.mark.parametrize("label", ["2026-06", "2026-Q5", "2026", "2026-Q0"])
def test_other_labels_are_refused(label: str) -> None:
    with pytest.raises(ValueError, match="quarter|invalid literal"):
        last_day(label)


@given(st.integers(0, 10_000), st.sampled_from(["Xã Suối Dầu", "Phường Ba Ngòi"]), st.integers(4, 40))
def test_the_world_never_loses_so_many_that_a_true_list_is_held(seed: int, commune: str, count: int) -> None:
    told = live(Random(seed), commune, (count, count), 4)
    days = [last_day(f"2026-Q{quarter}") for quarter in (1, 2, 3, 4)]
    snapshots = [Snapshot(day, tuple(now)) for day, now in zip(days, told, strict=True)]
    for missing in (None, 1, 2):
        arrived = [s for number, s in enumerate(snapshots) if number != missing]
        assert history("22708", arrived)[1] == []
    for before, now in zip(told, told[1:], strict=False):
        assert before != now, "the bytes of two quarters must differ"
        assert len({v.name for v in now}) == len(now)
        assert all(v.population >= v.households > 0 for v in now)
