"""Law 7: damage to any cell of any later list ends nobody. Every kind of damage in every kind of cell, in one run.

Each commune sends a sound list and then, quarter after quarter, the same list with one cell damaged. Damage is what
makes a cell unreadable; a cell replaced by another plausible word is another statement, not damage.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.e2e.conftest import Make
from tests.e2e.flows import World, text_csv, workbook

DAMAGE: tuple[Any, ...] = (None, " ", "-", "…", "#REF!", "#N/A", "=A1", "\ufffd\ufffd", "?", "@x", "Thôn " + "x" * 300)
CSV_DAMAGE = ("", "\0", "\x07", "#DIV/0!", '"', "=1+1")
NAMES = [f"Thôn {x}" for x in "ABCDEFGH"]
SENDERS = 48
QUARTERS = [f"{year}-Q{q}" for year in (2025, 2026) for q in (1, 2, 3, 4)][1:]


def _layouts(sender: str) -> dict[str, list[list[Any]]]:
    """Tables of the same eight villages, header first."""
    rows = [(n, name, 10 + n, 40 + n) for n, name in enumerate(NAMES, 1)]
    return {
        "numbered": [["STT", "Tên thôn", "Loại", "Số hộ", "Số khẩu"], *([n, v, "Thôn", h, p] for n, v, h, p in rows)],
        "narrow": [["Tên thôn", "Số hộ", "Số khẩu"], *([v, h, p] for _, v, h, p in rows)],
        "with a code": [["Mã xã", "Tên thôn", "Số hộ", "Số khẩu"], *([sender, v, h, p] for _, v, h, p in rows)],
        "in sections": [
            ["TT", "Tên thôn", "Số hộ", "Số khẩu", "Ghi chú"],
            ["I", "CÁC THÔN", None, None, None],
            *([n, v, h, p, "x"] for n, v, h, p in rows),
            [None, "Tổng cộng", sum(r[2] for r in rows), sum(r[3] for r in rows), None],
        ],
    }


def _damaged(tables: dict[str, list[list[Any]]]) -> Iterator[tuple[str, int, int, Any]]:
    """(layout, row, column, damage) for the header and for a first, a middle and the last row, all cells of them."""
    for name, table in tables.items():
        for row in (0, 1, len(table) // 2, len(table) - 1):
            for column in range(len(table[0])):
                for damage in DAMAGE:
                    yield name, row, column, damage


@pytest.fixture(scope="module")
def damaged(make_world: Make) -> tuple[World, dict[str, list[str]]]:
    world = make_world()
    all_of_them = list(_damaged(_layouts("00000")))
    random.Random(1).shuffle(all_of_them)  # as many as there are places for, of all layouts
    every = iter(all_of_them)
    csv_cells = [(row, column, damage) for row in (0, 2, 8) for column in range(3) for damage in CSV_DAMAGE]
    sent: dict[str, list[str]] = {}
    for i, sender in enumerate(world.communes[:SENDERS]):
        tables = _layouts(sender)
        base = world.drop(sender, workbook(tables["numbered"]), period="2025-Q3")
        sent[sender] = [base]
        for period in QUARTERS[2:]:
            if i % 8 == 7 and csv_cells:
                row, column, damage = csv_cells.pop()
                table = [[str(c) for c in r] for r in tables["narrow"]]
                table[row][column] = damage
                sent[sender].append(world.drop(sender, text_csv(table, ";"), "thon.csv", period=period))
                continue
            name, row, column, damage = next(every, ("narrow", 1, 0, None))
            table = [[*r] for r in tables[name]]
            table[row][column] = damage
            sent[sender].append(world.drop(sender, workbook(table), period=period))
    world.run()
    return world, sent


def test_nobody_ends(damaged: tuple[World, dict[str, list[str]]]) -> None:
    world, _ = damaged
    spans = world.rows(
        "select commune_code, village_name, min(valid_from), bool_or(valid_to is null), "
        "count(*) filter (where valid_to is not null and not exists (select from mart_v1.villages_history n "
        "where n.village_id = h.village_id and n.valid_from = h.valid_to)) "
        "from mart_v1.villages_history h where village_name = any (%s) group by 1, 2",
        [NAMES],
    )
    assert len(spans) == SENDERS * len(NAMES)
    assert {(s[2], s[3], s[4]) for s in spans} == {(date(2025, 9, 30), True, 0)}


def test_no_damage_is_taken_for_a_village(damaged: tuple[World, dict[str, list[str]]]) -> None:
    world, _ = damaged
    assert (
        world.rows(
            "select distinct village_name from mart_v1.villages_history where not village_name = any (%s)", [NAMES]
        )
        == []
    )


def test_values_are_those_that_were_sent(damaged: tuple[World, dict[str, list[str]]]) -> None:
    world, _ = damaged
    values = world.rows("select distinct village_name, households, population from mart_v1.villages_history order by 1")
    assert values == [(name, 10 + n, 40 + n) for n, name in enumerate(NAMES, 1)]
