"""Ticks and values spread over several columns (domain.md N19, N26): which columns they are, and what a row then says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.tables import find_tables
from schemas.contract import Column, Contract
from schemas.grid import KIND, FoundTable, Kind, Unreadable, address_of

from .test_headers import column, contract
from .test_tables import grid

SEX = column("sex", "Giới tính", required=True, options={"spread": {"NAM": ["Nam"], "NU": ["Nữ"]}})
YEAR = column("birth_year", "Năm sinh", options={"spread": ["Nam", "Nữ"]})
LEVELS = {"TS": ["TS"], "THS": ["ThS"], "DH": ["ĐH"], "CD": ["CĐ"]}
LEVEL = column("level", "Trình độ chuyên môn", "Trình độ", options={"spread": LEVELS})
NAME = column("full_name", "Họ và tên", required=True, key_position=1)


def people(*columns: Column) -> Contract:
    return contract("people", NAME, *columns, column("post", "Chức vụ"))


def read(contract: Contract, *rows: list[Any], **more: Any) -> FoundTable:
    (found,) = find_tables([grid(rows, **more)], [contract])
    assert found.rows_read == found.rows.height + found.set_aside.height
    return found


def values(found: FoundTable, name: str) -> list[tuple[str, Kind]]:
    return [(t, Kind(k)) for t, k in zip(found.rows[name], found.rows[name + KIND], strict=True)]


FORMS = {
    "parent over the first": [["Họ và tên", "Giới tính", None, "Chức vụ"], [None, "Nam", "Nữ", None]],
    "without parent": [["Họ và tên", "Nam", "Nữ", "Chức vụ"]],
    "with brackets": [["Họ và tên", "Giới tính", None, "Chức vụ"], [None, "Nam (x)", "Nữ (x)", None]],
}


@pytest.mark.parametrize("form", FORMS)
def test_two_tick_columns(form: str) -> None:
    rows = [["A", "x", None, "CV"], ["B", None, "X", "CV"], ["C", "✓", "không", "CV"], ["D", 0, 1, "CV"]]
    found = read(people(SEX), *FORMS[form], *rows)
    assert values(found, "sex") == [(v, Kind.TEXT) for v in ("NAM", "NU", "NAM", "NU")]
    assert found.layouts[0].columns["sex"] == "B:C" and address_of("B:C", 17) == "B17:C17"
    assert found.layouts[0].unmatched == {} and found.problems == []


def test_a_merged_parent() -> None:
    header = [["Họ và tên", "Giới tính", None, "Chức vụ"], [None, "Nam", "Nữ", None]]
    merged = ((1, 1, 2, 1), (1, 2, 1, 3), (1, 4, 2, 4))
    found = read(people(SEX), *header, ["A", None, "x", "CV"], merged=merged)
    assert values(found, "sex") == [("NU", Kind.TEXT)]
    assert found.layouts[0].header_rows == (1, 2)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x", "x"], ("x | x", Kind.SEVERAL_MARKED)),
        ([None, None], ("", Kind.BLANK)),
        (["không", None], ("", Kind.BLANK)),
        (["?", None], ("?", Kind.SEVERAL_MARKED)),
        (["x", "?"], ("x | ?", Kind.SEVERAL_MARKED)),
        (["x", "#REF!"], ("x | #REF!", Kind.ERROR)),
        (["x", "="], ("x", Kind.UNCALCULATED)),
        ([3, 2], ("3 | 2", Kind.SEVERAL_MARKED)),
    ],
)
def test_what_is_not_one_mark(cells: list[Any], expected: tuple[str, Kind]) -> None:
    found = read(people(SEX), ["Họ và tên", "Nam", "Nữ", "Chức vụ"], ["A", *cells, "CV"], ["B", "x", None, "CV"])
    assert values(found, "sex")[0] == expected


YEARS = [["Họ và tên", "Năm sinh", None, "Chức vụ"], [None, "Nam", "Nữ", None]]


def test_a_year_under_the_sex_is_two_facts() -> None:
    rows = [["A", 1985, None, "CV"], ["B", None, "01/02/1990", "CV"], ["C", 1985, 1990, "CV"], ["D", None, "-", "CV"]]
    found = read(people(SEX, YEAR), *YEARS, *rows)
    assert values(found, "birth_year") == [
        ("1985", Kind.NUMBER), ("01/02/1990", Kind.TEXT), ("1985 | 1990", Kind.SEVERAL_MARKED), ("", Kind.BLANK),
    ]  # fmt: skip
    assert values(found, "sex") == [
        ("NAM", Kind.TEXT), ("NU", Kind.TEXT), ("1985 | 1990", Kind.SEVERAL_MARKED), ("", Kind.BLANK),
    ]  # fmt: skip
    assert {n: found.layouts[0].columns[n] for n in ("sex", "birth_year")} == {"sex": "B:C", "birth_year": "B:C"}


def test_columns_of_their_own_come_first() -> None:
    found = read(people(SEX, YEAR), ["Họ và tên", "Năm sinh", "Giới tính", "Chức vụ"], ["A", 1985, "Nữ", "CV"])
    assert (found.layouts[0].columns["sex"], found.layouts[0].columns["birth_year"]) == ("C", "B")


@pytest.mark.parametrize("highest", [True, False])
def test_levels_of_education(highest: bool) -> None:
    level = replace(LEVEL, options={**LEVEL.options, "highest": highest})
    header = [["Họ và tên", "Trình độ", None, None, "Chức vụ"], [None, "ThS", "ĐH", "CĐ", None]]
    found = read(people(level), *header, ["A", None, "x", None, "CV"], ["B", "x", "x", None, "CV"])
    several = ("THS/DH", Kind.TEXT) if highest else ("x | x", Kind.SEVERAL_MARKED)
    assert values(found, "level") == [("DH", Kind.TEXT), several]


def test_one_sub_header_alone_is_none() -> None:
    with pytest.raises(Unreadable) as caught:
        find_tables([grid([["Họ và tên", "Nam", "Chức vụ"], ["A", "x", "CV"]])], [people(SEX)])
    assert caught.value.problem.params["label"] == "Giới tính"


def test_the_same_sub_header_twice_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        find_tables([grid([["Họ và tên", "Nam", "Nữ", "Nam", "Chức vụ"], ["A", "x", None, None, "CV"]])], [people(SEX)])
    assert caught.value.problem.code == "DUPLICATE_HEADER"
    assert caught.value.problem.params["columns"] == "B, D"


CELLS = st.sampled_from([None, "x", "X", "v", 1, 0, "-", "không", "?", "1985", "#N/A", "="])


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_never_another_value(pairs: list[tuple[Any, Any]]) -> None:
    """A value only where one cell is a mark and the other plainly none; every row is there."""
    rows = [["A", *pair, "CV"] for pair in pairs]
    found = read(people(SEX), ["Họ và tên", "Nam", "Nữ", "Chức vụ"], *rows)
    marks, none = ("x", "X", "v", 1), (None, 0, "-", "không")
    for pair, (text, kind) in zip(pairs, values(found, "sex"), strict=True):
        told = {(a in marks, b in none): "NAM" for a, b in [pair]}.get((True, True)) or (
            "NU" if pair[0] in none and pair[1] in marks else ""
        )
        assert (text if kind == Kind.TEXT else "") == told
