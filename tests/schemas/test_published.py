"""Published views may grow, not break: ``views.json`` follows the code, ``views_released.json`` is what apps were promised.

The second is not renewed by ``RENEW_SNAPSHOTS``: a breaking change belongs into a new version of the schema.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.published import Change, compare, next_version

FOLDER = Path(__file__).parent / "snapshots"
BEFORE: dict[str, dict[str, Any]] = {"mart_v1.a": {"columns": {"x": "bigint", "y": "text"}, "readers": ["app"]}}


def _promised(name: str) -> dict[str, Any]:
    found = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return {view: entry for view, entry in found.items() if view.startswith("mart_v1.")}


def test_nothing_that_was_promised_is_broken() -> None:
    promised = _promised("views_released.json")
    assert promised
    broken = [str(c) for c in compare(promised, _promised("views.json")) if c.kind == "breaking"]
    assert broken == [], "apps read these: leave them in mart_v1 as they were"


def _with(columns: dict[str, str], readers: list[str]) -> dict[str, dict[str, Any]]:
    return {"mart_v1.a": {"columns": columns, "readers": readers}}


@pytest.mark.parametrize(
    ("after", "kinds", "version"),
    [
        (_with({"y": "text", "x": "bigint"}, ["app"]), [], (1, 2, 3)),
        (_with({"x": "bigint", "y": "text", "z": "date"}, ["app"]), ["addition"], (1, 3, 0)),
        ({**BEFORE, "mart_v1.b": BEFORE["mart_v1.a"]}, ["addition"], (1, 3, 0)),
        (_with({"x": "bigint", "y": "text"}, ["app", "officer"]), ["addition"], (1, 3, 0)),
        (_with({"x": "bigint"}, ["app"]), ["breaking"], (2, 0, 0)),
        (_with({"x": "bigint", "z": "text"}, ["app"]), ["breaking", "addition"], (2, 0, 0)),
        (_with({"x": "integer", "y": "text"}, ["app"]), ["breaking"], (2, 0, 0)),
        (_with({"x": "bigint", "y": "text"}, []), ["breaking"], (2, 0, 0)),
        ({}, ["breaking"], (2, 0, 0)),
    ],
)
def test_code_decides_what_breaks(
    after: dict[str, dict[str, Any]], kinds: list[str], version: tuple[int, int, int]
) -> None:
    changes = compare(BEFORE, after)
    assert [change.kind for change in changes] == kinds
    assert next_version((1, 2, 3), changes) == version


def test_a_change_says_where() -> None:
    assert compare(BEFORE, _with({"x": "text", "y": "text"}, ["app"])) == [
        Change("breaking", "mart_v1.a.x", "bigint became text")
    ]
