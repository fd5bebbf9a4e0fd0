"""What breaks an app, and which version a change makes. The views themselves: ``tests/e2e/test_published.py``."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.published import Breaks, Change, compare, next_version, renewed

TODAY = date(2026, 11, 28)
X, Y = {"type": "int8", "unit": "đồng"}, {"type": "text", "values": ["A", "B"], "label": "Chữ"}
BEFORE: dict[str, dict[str, Any]] = {"mart_v1.a": {"version": "1.2.3", "columns": {"x": X, "y": Y}, "readers": ["app"]}}


def _with(columns: dict[str, Any] | None = None, readers: list[str] | None = None) -> dict[str, dict[str, Any]]:
    return {"mart_v1.a": {"columns": {"x": X, "y": Y} if columns is None else columns, "readers": readers or ["app"]}}


@pytest.mark.parametrize(
    ("after", "kinds", "version"),
    [
        (_with({"y": Y, "x": X}), [], "1.2.3"),
        (_with({"x": X, "y": Y, "z": {"type": "date"}}), ["addition"], "1.3.0"),
        (_with(readers=["app", "officer"]), ["addition"], "1.3.0"),
        (_with({"x": X, "y": {**Y, "label": "Văn bản"}}), ["wording"], "1.2.4"),
        (_with({"x": {**X, "description": "mới"}, "y": Y}), ["wording"], "1.2.4"),
        (_with({"x": X, "y": {**Y, "values": ["A", "B", "C"]}}), ["addition"], "1.3.0"),
        (_with({"x": X, "y": {**Y, "values": ["A"]}}), ["breaking"], None),
        (_with({"x": {**X, "unit": "triệu đồng"}, "y": Y}), ["breaking"], None),
        (_with({"x": {"type": "int8"}, "y": Y}), ["breaking"], None),
        (_with({"x": X}), ["breaking"], None),
        (_with({"x": X, "z": Y}), ["breaking", "addition"], None),
        (_with({"x": {**X, "type": "int4"}, "y": Y}), ["breaking"], None),
        (_with(readers=["officer"]), ["breaking", "addition"], None),
        ({}, ["breaking"], None),
    ],
)
def test_code_decides_what_breaks(after: dict[str, dict[str, Any]], kinds: list[str], version: str | None) -> None:
    assert [change.kind for change in compare(BEFORE, after)] == kinds
    if version is None:
        with pytest.raises(Breaks, match="mart_v2 beside mart_v1"):
            renewed(BEFORE, after, TODAY)
    else:
        assert renewed(BEFORE, after, TODAY)["mart_v1.a"]["version"] == version


def test_a_new_view_begins_and_touches_no_other() -> None:
    made = renewed(BEFORE, {**_with(), "mart_v1.b": _with()["mart_v1.a"]}, TODAY)
    assert {view: made[view]["version"] for view in made} == {"mart_v1.a": "1.2.3", "mart_v1.b": "1.0.0"}


@pytest.mark.parametrize(
    ("until", "successor", "there", "goes"),
    [
        ("2026-11-27", "mart_v2.a", True, True),
        ("2026-11-28", "mart_v2.a", True, False),  # its last day
        ("2026-11-27", "mart_v2.a", False, False),
        ("2026-11-27", "mart_v1.b", True, False),  # no other version of the schema
    ],
)
def test_a_view_goes_after_its_day_and_with_a_successor_only(
    until: str, successor: str, there: bool, goes: bool
) -> None:
    before = copy.deepcopy(BEFORE)
    before["mart_v1.a"]["deprecated"] = {"until": until, "successor": successor}
    after: dict[str, Any] = {successor: _with()["mart_v1.a"]} if there else {}
    if goes:
        assert list(renewed(before, after, TODAY)) == [successor]
    else:
        with pytest.raises(Breaks):
            renewed(before, after, TODAY)
    # until then it stays as it was, and says so
    assert renewed(before, {**_with(), **after}, TODAY)["mart_v1.a"]["deprecated"]["until"] == until


def test_a_change_says_where() -> None:
    after = _with({"x": {**X, "type": "text"}, "y": Y})
    assert compare(BEFORE, after) == [Change("breaking", "mart_v1.a.x", "int8 became text")]


@given(st.lists(st.sampled_from(["breaking", "addition", "wording"]), max_size=4))
def test_versions_only_grow(kinds: list[Any]) -> None:
    version = next_version((1, 2, 3), [Change(kind, "v", "") for kind in kinds])
    assert version >= (1, 2, 3) and (version == (1, 2, 3)) == (not kinds)
