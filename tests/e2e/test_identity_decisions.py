"""Decisions on who is whom come through the inbox: the last word on a pair counts, in whichever order files arrive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import polars as pl

from assets.core.decided import identity_decisions
from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said, workbook

HEAD = ("Bộ dữ liệu", "Mã hồ sơ thứ nhất", "Mã hồ sơ thứ hai", "Quyết định", "Lý do", "Người quyết định")
A, B, C = "1234567890123456789", "987654321098765432", "5"


def sheet(*rows: Sequence[Any], dataset: str = "staff") -> bytes:
    """A workbook of decisions: (left, right, decision)."""
    return workbook([HEAD, *((dataset, *r, "Đã đối chiếu hồ sơ", "Lý Thị Đào") for r in rows)])


def decided(world: World, dataset: str = "staff") -> set[tuple[int, int, bool]]:
    with world.connection() as connection:
        frame = identity_decisions(connection, dataset)
    assert frame.schema == {"left": pl.Int64, "right": pl.Int64, "same": pl.Boolean}
    assert frame.rows() == sorted(frame.rows()) and frame.select("left", "right").is_duplicated().sum() == 0
    return set(frame.rows())


def test_nothing_is_decided_before_anybody_has(world: World) -> None:
    assert decided(world) == set()


def test_labels_values_and_either_order(world: World) -> None:
    place = world.drop("SNV", sheet((A, B, "Cùng một người"), (C, A, "KHÁC"), (B, C, "SAME")), "quyet_dinh.xlsx")
    world.drop("SNV", sheet(("7", "6", "Khác thôn"), dataset="villages"), "thon.xlsx")
    world.run()
    assert world.submission(place)["state"] == "accepted"
    assert decided(world) == {(int(B), int(A), True), (5, int(A), False), (5, int(B), True)}
    assert decided(world, "villages") == {(6, 7, False)}


def test_a_blank_is_not_decided_yet(world: World) -> None:
    place = world.drop("SNV", sheet((A, B, None), (A, C, "  "), (B, C, "Khác người")), "quyet_dinh.xlsx")
    world.run()
    answer = world.submission(place)
    assert (answer["state"], answer["set_aside"]["BLANK"], answer["counts"]["accepted"]) == ("accepted", 2, 1)
    assert decided(world) == {(5, int(B), False)}
    # who sends an older copy with one more decision takes none back
    world.drop("SNV", sheet((A, B, "Cùng"), (A, C, None), (B, C, None)), "quyet_dinh.xlsx")
    world.run()
    assert decided(world) == {(5, int(B), False), (int(B), int(A), True)}


def test_a_decision_that_cannot_be_read_decides_nothing_and_spoils_nothing(world: World) -> None:
    rows = [(A, B, "chắc là cùng"), (int(A), C, "Cùng"), (A, A, "Cùng"), (B, C, "Cùng"), ("8", "9", "Khác")]
    place = world.drop("SNV", sheet(*rows), "quyet_dinh.xlsx")
    world.run()
    assert world.submission(place)["state"] == "partly"
    assert {("B3", "BAD_CODE"), ("4", "BAD_CODE"), ("D2", "NOT_IN_LIST")} <= said(world.submission(place))
    assert decided(world) == {(5, int(B), True), (8, 9, False)}


def test_two_words_on_a_pair_in_one_file_contradict(world: World) -> None:
    place = world.drop("SNV", sheet((A, B, "Cùng"), (B, A, "Khác"), (A, C, "Cùng")), "quyet_dinh.xlsx")
    world.run()
    assert {rule for _, rule in said(world.submission(place))} == {"DUPLICATE_KEY"}
    assert decided(world) == {(5, int(A), True)}


def test_the_last_word_counts_in_any_order_of_processing(make_world: Make) -> None:
    # (sender, period folder, minute of arrival, decision): the pair turns round, the folders and senders differ
    files = [
        ("SNV", "2026-Q2", (A, B, "Cùng")),
        ("STP", "2026-06", (B, A, "Khác")),
        ("SNV", "2026-Q1", (B, A, "Khác")),
    ]
    found = []
    for order in permutations(range(3)):
        world = make_world()
        for n in order:
            sender, period, row = files[n]
            world.arrivals = n
            world.drop(sender, sheet(row), f"{n}.xlsx", period=period)
            world.run()
        found.append(decided(world))
    assert all(f == found[0] for f in found)
    assert found[0] == {(int(B), int(A), False)}


def test_the_same_file_again_changes_nothing(world: World) -> None:
    data = sheet((A, B, "Cùng"))
    world.drop("SNV", data, "quyet_dinh.xlsx")
    world.run()
    before = world.counts()
    assert world.run().published is None
    again = world.drop("SNV", data, "ban_sao.xlsx")
    world.run()
    assert (world.submission(again)["state"], codes(world.submission(again))) == ("repeated", [])
    after = world.counts()
    assert after["core.identity_decisions"] == before["core.identity_decisions"] == 1


def test_a_withdrawn_file_decides_nothing(world: World) -> None:
    place = world.drop("SNV", sheet((A, B, "Cùng")), "quyet_dinh.xlsx")
    world.run()
    world.say("SNV", withdraws=world.submission(place)["submission_id"], dataset="identity_decisions")
    world.run()
    assert decided(world) == set()


def test_communes_decide_nothing(world: World) -> None:
    place = world.drop(world.communes[0], sheet((A, B, "Cùng")), "quyet_dinh.xlsx")
    world.run()
    assert codes(world.submission(place)) == ["NOT_A_SENDER"]
    assert decided(world) == set()
