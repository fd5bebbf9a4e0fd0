"""Villages and organisations that are merged, split, renamed: edges, kinds and days, whatever the order of arrival; who is late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from assets.marts.publish import publishing
from tests.e2e.conftest import Make
from tests.e2e.flows import FIRST_ARRIVAL, World, said, text_csv, worded, workbook

Q4, Q1, Q2, Q3 = date(2025, 12, 31), date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30)
PERIODS = {Q4: "2025-Q4", Q1: "2026-Q1", Q2: "2026-Q2", Q3: "2026-Q3"}
HEAD = ("Tên thôn", "Số hộ", "Số khẩu", "Kế thừa từ")
Edge = tuple[str, str, str, date, bool]
Rows = Sequence[tuple[Any, ...]]

STAY = tuple((f"Thôn {x}", 100, 400) for x in "UVWXYZ")
"""Villages that nothing happens to: an end of some is no large share of the list."""

STORIES: dict[str, tuple[dict[date, Rows], set[Edge], dict[str, tuple[date, date | None]]]] = {
    # rows of each list; edges (predecessor, successor, kind, day, goes on); spans of villages
    "renamed": (
        {Q4: [("Thôn 1", 10, 40)], Q1: [("Thôn Mới", 10, 40, "Thôn 1")], Q2: [("Thôn Mới", 11, 44)]},
        {("Thôn 1", "Thôn Mới", "RENAME", Q1, False)},
        {"Thôn 1": (Q4, Q1), "Thôn Mới": (Q1, None)},
    ),
    "merged": (
        {Q4: [("Thôn 1", 10, 40), ("Thôn 2", 12, 50)], Q1: [("Thôn Hợp", 22, 90, "Thôn 1; Thôn 2")],
         Q2: [("Thôn Hợp", 22, 90, "Thôn 1; Thôn 2")]},
        {("Thôn 1", "Thôn Hợp", "MERGE", Q1, False), ("Thôn 2", "Thôn Hợp", "MERGE", Q1, False)},
        {"Thôn 1": (Q4, Q1), "Thôn 2": (Q4, Q1), "Thôn Hợp": (Q1, None)},
    ),
    "absorbed": (
        {Q4: [("Thôn 1", 10, 40), ("Thôn 2", 12, 50)], Q1: [("Thôn 1", 10, 40), ("Thôn 2", 12, 50)],
         Q2: [("Thôn 1", 22, 90, "Thôn 1 và Thôn 2")]},
        {("Thôn 2", "Thôn 1", "MERGE", Q2, False)},
        {"Thôn 1": (Q4, None), "Thôn 2": (Q4, Q2)},
    ),
    "split": (
        {Q4: [("Thôn Lớn", 90, 400)], Q1: [("Thôn Lớn 1", 45, 200, "Thôn Lớn"), ("Thôn Lớn 2", 45, 200, "Lớn")],
         Q2: [("Thôn Lớn 1", 45, 200), ("Thôn Lớn 2", 45, 200)]},
        {("Thôn Lớn", "Thôn Lớn 1", "SPLIT", Q1, False), ("Lớn", "Thôn Lớn 2", "SPLIT", Q1, False)},
        {"Thôn Lớn": (Q4, Q1), "Thôn Lớn 1": (Q1, None), "Thôn Lớn 2": (Q1, None)},
    ),
    "split off": (
        {Q4: [("Thôn 1", 90, 400)], Q1: [("Thôn 1", 60, 300), ("Thôn 1A", 30, 100, "Thôn 1 (cũ)")],
         Q2: [("Thôn 1", 60, 300), ("Thôn 1A", 30, 100)]},
        {("Thôn 1 (cũ)", "Thôn 1A", "PART", Q1, True)},
        {"Thôn 1": (Q4, None), "Thôn 1A": (Q1, None)},
    ),
    "shared out": (
        {Q4: [("Thôn 1", 50, 200), ("Thôn 2", 50, 200)],
         Q1: [("Thôn A", 75, 300, "Thôn 1, Thôn 2"), ("Thôn B", 25, 100, "THÔN 2")],
         Q2: [("Thôn A", 75, 300), ("Thôn B", 25, 100)]},
        {("Thôn 1", "Thôn A", "MERGE", Q1, False), ("Thôn 2", "Thôn A", "PART", Q1, False),
         ("THÔN 2", "Thôn B", "SPLIT", Q1, False)},
        {"Thôn 1": (Q4, Q1), "Thôn 2": (Q4, Q1), "Thôn A": (Q1, None), "Thôn B": (Q1, None)},
    ),
    "told a quarter later": (
        {Q4: [("Thôn 1", 10, 40)], Q1: [("Thôn Mới", 10, 40)], Q2: [("Thôn Mới", 10, 40, "Thôn 1")]},
        {("Thôn 1", "Thôn Mới", "RENAME", Q1, False)},
        {"Thôn 1": (Q4, Q1), "Thôn Mới": (Q1, None)},
    ),
    "renamed and back": (
        {Q4: [("Thôn 1", 10, 40)], Q1: [("Thôn Mới", 10, 40, "Thôn 1")], Q2: [("Thôn 1", 10, 40, "Thôn Mới")]},
        {("Thôn 1", "Thôn Mới", "RENAME", Q1, False), ("Thôn Mới", "Thôn 1", "MERGE", Q2, False)},
        {"Thôn 1": (Q4, Q1), "Thôn Mới": (Q1, Q2)},  # and Thôn 1 again from Q2 on
    ),
    "nobody knows it": (
        {Q4: [("Thôn 1", 10, 40)], Q1: [("Thôn 1", 10, 40)], Q2: [("Thôn Mới", 10, 40, "Thôn Một"), ("Thôn 1", 9, 38)]},
        {("Thôn Một", "Thôn Mới", "RENAME", Q2, False)},
        {"Thôn 1": (Q4, None), "Thôn Mới": (Q2, None)},
    ),
    "in a word": (
        {Q4: [("Thôn 1", 10, 40)], Q1: [("Thôn 1", 10, 40)], Q2: [("Thôn 1", 10, 40)]}, set(), {"Thôn 1": (Q4, None)},
    ),
}  # fmt: skip


def listed(rows: Rows) -> bytes:
    full = [(*r, None)[:4] for r in (*rows, *STAY)]
    return workbook([HEAD, *full])


def edges(world: World, commune: str) -> set[Edge]:
    return {
        (r[0], r[1], r[2], r[3], r[4])
        for r in world.rows(
            "select distinct s.predecessor, h.village_name, s.kind, s.effective_date, s.goes_on from mart_v1.successions s "
            "join mart_v1.villages_history h on h.village_id = s.successor_id "
            "where s.dataset = 'villages' and h.commune_code = %s",
            [commune],
        )
    }


def spans(world: World, commune: str) -> dict[str, tuple[date, date | None]]:
    """First and last day of each village's first run."""
    found: dict[str, tuple[date, date | None]] = {}
    for _, name, _, _, start, end, _ in world.history(commune):
        if name in found and found[name][1] == start:
            found[name] = (found[name][0], end)
        else:
            found.setdefault(name, (start, end))
    return {name: span for name, span in found.items() if name not in {s[0] for s in STAY}}


@pytest.fixture(scope="module")
def told(make_world: Make) -> dict[tuple[str, tuple[date, ...]], tuple[World, str]]:
    """Each story in two orders of arrival and more, each by a commune of its own, all in one world; a run after each list."""
    world = make_world()
    codes = iter(world.communes)
    orders = {
        name: list(permutations(story[0]))
        if name in ("merged", "renamed")
        else [tuple(story[0]), tuple(story[0])[::-1]]
        for name, story in STORIES.items()
    }
    communes = {(name, order): next(codes) for name in STORIES for order in orders[name]}
    for step in range(3):
        for (name, order), commune in communes.items():
            day = order[step]
            # when it was received says what is later, not when it was seen
            at = FIRST_ARRIVAL + timedelta(days=(day - Q4).days)
            world.drop(commune, listed(STORIES[name][0][day]), f"{day}.xlsx", period=PERIODS[day], at=at)
        world.run()
    return {key: (world, commune) for key, commune in communes.items()}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_of_villages_in_any_order(told: Any, name: str) -> None:
    _, wanted, history = STORIES[name]
    for (story, _), (world, commune) in told.items():
        if story == name:
            assert edges(world, commune) == wanted
            assert spans(world, commune) == history


def test_what_nobody_knows_and_what_goes_on_is_told(told: Any) -> None:
    for (name, _), (world, commune) in told.items():
        answered = world.submission(f"{PERIODS[Q2]}/{commune}/{Q2}.xlsx")
        warned = {rule for _, rule in said(answered, "warning")}
        assert ("village_predecessor_unknown" in warned) == (name == "nobody knows it")
        worded(answered)
        if name == "split off":
            warned = {rule for _, rule in said(world.submission(f"{PERIODS[Q1]}/{commune}/{Q1}.xlsx"), "warning")}
            assert "village_predecessor_goes_on" in warned


def test_old_ids_resolve(told: Any) -> None:
    for (name, _), (world, commune) in told.items():
        ids = {r[0]: r[1] for r in world.rows(
            "select distinct village_name, village_id from mart_v1.villages_history where commune_code = %s", [commune]
        )}  # fmt: skip
        names = {i: n for n, i in ids.items()}

        def today(
            village: str, world: World = world, ids: Any = ids, names: Any = names
        ) -> set[tuple[str, date | None]]:
            rows = world.rows("select * from mart_v1.current_ids('villages', %s)", [ids[village]])
            return {(names[i], since) for i, since in rows}

        expected = {
            "renamed": ("Thôn 1", {("Thôn Mới", Q1)}),
            "merged": ("Thôn 2", {("Thôn Hợp", Q1)}),
            "split": ("Thôn Lớn", {("Thôn Lớn 1", Q1), ("Thôn Lớn 2", Q1)}),
            "split off": ("Thôn 1", {("Thôn 1", None)}),
            "renamed and back": ("Thôn 1", {("Thôn 1", Q2)}),
            "in a word": ("Thôn 1", {("Thôn 1", None)}),
        }
        if name in expected:
            assert today(expected[name][0]) == expected[name][1]


ORG_HEAD = (
    "Mã tổ chức",
    "Tên tổ chức",
    "Khối",
    "Cấp",
    "Loại tổ chức",
    "Hiệu lực từ ngày",
    "Hiệu lực đến ngày",
    "Sáp nhập từ",
)
JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


def organizations(*rows: tuple[str, str, str | None, str | None]) -> bytes:
    """(code, from, to, predecessors)"""
    return text_csv(
        [ORG_HEAD, *((c, f"Sở {c}", "Chính quyền", "Tỉnh", "Sở", f, t or "", p or "") for c, f, t, p in rows)]
    )


def org_history(world: World, prefix: str) -> dict[str, list[tuple[date, date | None]]]:
    found: dict[str, list[tuple[date, date | None]]] = {}
    for code, start, end in world.rows(
        "select organization_code, valid_from, valid_to from mart_v1.organizations_history "
        "where starts_with(organization_code, %s) order by 1, 2",
        [prefix],
    ):
        found.setdefault(code.removeprefix(prefix), []).append((start, end))
    return found


ORG_STORIES: dict[str, tuple[list[tuple[str, str, Rows]], dict[str, list[tuple[date, date | None]]], set[tuple[Any, ...]]]] = {
    # files (sender, month, rows); history; (predecessor, successor, kind, goes on)
    "the sender of the predecessor is late": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None), ("B", "1/7/2025", None, None)]),
         ("BTC", "2026-07", [("C", "1/7/2026", None, "{p}A; {p}B")])],
        {"A": [(date(2025, 7, 1), JULY)], "B": [(date(2025, 7, 1), JULY)], "C": [(JULY, None)]},
        {("A", "C", "MERGE", False), ("B", "C", "MERGE", False)},
    ),
    "the predecessor is asserted afterwards": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None)]), ("BTC", "2026-07", [("C", "1/7/2026", None, "{p}A")]),
         ("SNV", "2026-08", [("A", "1/7/2025", None, None)])],
        {"A": [(date(2025, 7, 1), None)], "C": [(JULY, None)]},
        {("A", "C", "PART", True)},
    ),
    "an end that is told": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None)]), ("BTC", "2026-07", [("C", "1/7/2026", None, "{p}A")]),
         ("SNV", "2026-08", [("A", "1/7/2025", "30/6/2026", None)])],
        {"A": [(date(2025, 7, 1), JULY)], "C": [(JULY, None)]},
        {("A", "C", "RENAME", False)},
    ),
    "a chain": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None)]), ("SNV", "2026-07", [("B", "1/7/2026", None, "{p}A")]),
         ("SNV", "2026-08", [("C", "1/8/2026", None, "{p}B")])],
        {"A": [(date(2025, 7, 1), JULY)], "B": [(JULY, AUGUST)], "C": [(AUGUST, None)]},
        {("A", "B", "RENAME", False), ("B", "C", "RENAME", False)},
    ),
    "announced": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None)]),
         ("SNV", "2026-06", [("A", "1/7/2025", None, None), ("B", "1/8/2026", None, "{p}A")])],
        {"A": [(date(2025, 7, 1), AUGUST)], "B": [(AUGUST, None)]},
        {("A", "B", "RENAME", False)},
    ),
    "corrected": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None), ("B", "1/7/2025", None, None)]),
         ("SNV", "2026-07", [("C", "1/7/2026", None, "{p}A; {p}B")]), ("SNV", "2026-08", [("C", "1/7/2026", None, "{p}A")])],
        {"A": [(date(2025, 7, 1), JULY)], "B": [(date(2025, 7, 1), None)], "C": [(JULY, None)]},
        {("A", "C", "RENAME", False)},
    ),
    "a new version of the same body": (
        [("SNV", "2026-05", [("A", "1/7/2025", None, None)]), ("SNV", "2026-07", [("A", "1/7/2026", None, "{p}A")])],
        {"A": [(date(2025, 7, 1), JULY), (JULY, None)]}, set(),
    ),
}  # fmt: skip


def test_organizations_in_any_order(make_world: Make) -> None:
    world = make_world()
    told = [
        (name, order, f"S{n}.{m}.")
        for n, name in enumerate(ORG_STORIES)
        for m, order in enumerate(permutations(range(len(ORG_STORIES[name][0]))))
    ]
    for step in range(3):
        for name, order, prefix in told:
            if step < len(order):
                sender, month, rows = ORG_STORIES[name][0][order[step]]
                at = FIRST_ARRIVAL + timedelta(days=order[step])
                data = organizations(*((prefix + c, f, t, p and p.format(p=prefix)) for c, f, t, p in rows))
                world.drop(sender, data, f"{prefix}{order[step]}.csv", period=month, at=at)
        world.run()
    for name, _, prefix in told:
        _, history, wanted = ORG_STORIES[name]
        assert org_history(world, prefix) == history, name
        found = world.rows(
            "select distinct s.predecessor, h.organization_code, s.kind, s.goes_on from mart_v1.successions s "
            "join mart_v1.organizations_history h on h.organization_id = s.successor_id "
            "where s.dataset = 'organizations' and starts_with(h.organization_code, %s)",
            [prefix],
        )
        assert {(p.removeprefix(prefix), s.removeprefix(prefix), k, g) for p, s, k, g in found} == wanted, name
    assert world.proved("organizations")


def test_a_successor_that_is_withdrawn_gives_its_predecessor_back(make_world: Make) -> None:
    world = make_world()
    world.drop("SNV", organizations(("A", "1/7/2025", None, None)), "a.csv", period="2026-05")
    place = world.drop("SNV", organizations(("B", "1/7/2026", None, "A;\nZ")), "b.csv", period="2026-07")
    world.run()
    assert org_history(world, "") == {"A": [(date(2025, 7, 1), JULY)], "B": [(JULY, None)]}
    unknown = "select predecessor, kind from mart_v1.successions where predecessor_id is null"
    assert world.rows(unknown) == [("Z", "MERGE")]
    # what nobody knew finds its id when it is told
    world.drop("BTC", organizations(("Z", "1/7/2025", None, None)), "z.csv", period="2026-05")
    world.run()
    assert world.rows(unknown) == []
    assert org_history(world, "")["Z"] == [(date(2025, 7, 1), JULY)]
    world.say(
        "SNV", "rut.yaml", period="2026-07", dataset="organizations", withdraws=world.submission(place)["submission_id"]
    )
    world.run()
    assert org_history(world, "") == {"A": [(date(2025, 7, 1), None)], "Z": [(date(2025, 7, 1), None)]}
    assert world.rows("select count(*) from mart_v1.successions") == [(0,)]
    assert world.run().published is None  # nothing more to do


def test_what_a_publisher_that_died_has_written_is_undone(make_world: Make) -> None:
    world = make_world()
    world.drop("SNV", organizations(("A", "1/7/2025", None, None)), "a.csv", period="2026-05")
    world.run()
    world.drop("SNV", organizations(("B", "1/7/2026", None, "A")), "b.csv", period="2026-07")
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.receive(connection)
        pipeline.stage(connection)
        with publishing(connection):
            pipeline.prepare(connection)  # and no more
    assert world.rows("select count(*) from mart_v1.successions") == [(0,)]
    assert org_history(world, "") == {"A": [(date(2025, 7, 1), None)]}
    world.run()
    assert org_history(world, "") == {"A": [(date(2025, 7, 1), JULY)], "B": [(JULY, None)]}
    assert world.rows("select count(*), count(distinct successor_id) from core.succession") == [(1, 1)]
