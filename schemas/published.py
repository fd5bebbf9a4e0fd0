"""What apps may rely on in ``mart_v1``: whether a change of a published view breaks them, and the version that it makes.

``marts/published.json`` is what was promised: for each view its version, columns with type and meaning, and readers. A test holds
the views of a server against it, so that a change is seen in a review, gets its version, and is refused where it breaks an app.
Here belongs the judgement, as pure functions over that form; reading the views of a server does not (``assets.marts.published``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

Kind = Literal["breaking", "addition", "wording"]
PROMISED = Path(__file__).parent / "marts" / "published.json"

_WORDS = ("label", "description")
"""Of the meaning of a column, what may be said in other words; any other part is relied on."""


@dataclass(frozen=True)
class Change:
    """One difference that an app can notice; ``where`` is ``schema.view`` or ``schema.view.column``."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


class Breaks(Exception):
    """What was promised would be broken; the text says what, and what to do instead."""

    def __init__(self, changes: Sequence[Change]) -> None:
        super().__init__(
            "apps read these: leave them as they were, make the view anew in mart_v2 beside mart_v1, and write into "
            "marts/published.json until when the old one stays ('deprecated'):\n" + "\n".join(map(str, changes))
        )
        self.changes = tuple(changes)


def promised() -> dict[str, dict[str, Any]]:
    """View -> ``{"version", "columns": {name: {"type", …}}, "readers", "deprecated"?: {"until", "successor"}}``."""
    found: dict[str, dict[str, Any]] = json.loads(PROMISED.read_text(encoding="utf-8"))
    return found


def compare(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """Say what changed between two states of the published views.

    A rename is a column gone and a column added, so it breaks. Any change of a type breaks, a wider one too: a reader that
    declared the narrower type may fail. So does another unit, semantic type or class, a code that is no longer used, and a
    figure that is computed otherwise; a code more is an addition, other words for the same are wording. The order of columns is
    no promise: apps name what they read.
    """
    changes: list[Change] = []
    for view in sorted(before.keys() | after.keys()):
        if view not in after:
            changes.append(Change("breaking", view, "the view is gone"))
            continue
        if view not in before:
            changes.append(Change("addition", view, "a new view"))
            continue
        old, new = before[view]["columns"], after[view]["columns"]
        for column in sorted(old.keys() | new.keys()):
            where = f"{view}.{column}"
            if column not in new:
                changes.append(Change("breaking", where, "the column is gone"))
            elif column not in old:
                changes.append(Change("addition", where, f"a new column, {new[column]['type']}"))
            else:
                changes += _meaning(where, old[column], new[column])
        had, have = set(before[view]["readers"]), set(after[view]["readers"])
        changes += [Change("breaking", view, f"{role} may no longer read it") for role in sorted(had - have)]
        changes += [Change("addition", view, f"{role} may read it now") for role in sorted(have - had)]
    return changes


def _meaning(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    changes = []
    for part in sorted(old.keys() | new.keys()):
        was, now = old.get(part), new.get(part)
        if was == now:
            continue
        if part == "values":
            gone, more = sorted(set(was or ()) - set(now or ())), sorted(set(now or ()) - set(was or ()))
            changes += [Change("breaking", where, f"the code {code} is gone") for code in gone]
            changes += [Change("addition", where, f"a new code, {code}") for code in more]
        elif part in _WORDS:
            changes.append(Change("wording", where, f"{part} in other words"))
        elif part == "type":
            changes.append(Change("breaking", where, f"{was} became {now}"))
        else:
            changes.append(Change("breaking", where, f"its {part} was {was}, is {now}"))
    return changes


def next_version(version: tuple[int, int, int], changes: Iterable[Change]) -> tuple[int, int, int]:
    """Return the semantic version after the changes: major for a breaking one, minor for an addition, patch for other words."""
    kinds = {change.kind for change in changes}
    major, minor, patch = version
    if "breaking" in kinds:
        return major + 1, 0, 0
    if "addition" in kinds:
        return major, minor + 1, 0
    return (major, minor, patch + 1) if kinds else version


def renewed(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]], today: date
) -> dict[str, dict[str, Any]]:
    """The promise after a change: ``after`` with a version for each view. Raises :class:`Breaks`.

    A view may go, and nothing else, where it was deprecated, its day has passed and its successor is there.
    """
    changes = compare(before, after)
    broken = [c for c in changes if c.kind == "breaking" and not _over(c, before, after, today)]
    if broken:
        raise Breaks(broken)
    made = {}
    for view in sorted(after):
        old = before.get(view)
        version = (1, 0, 0)
        if old is not None:
            major, minor, patch = map(int, old["version"].split("."))
            of_view = [c for c in changes if c.where == view or c.where.startswith(f"{view}.")]
            version = next_version((major, minor, patch), of_view)
        made[view] = {"version": ".".join(map(str, version)), **after[view]}
        if old is not None and "deprecated" in old:
            made[view]["deprecated"] = old["deprecated"]
    return made


def _over(change: Change, before: Mapping[str, Any], after: Mapping[str, Any], today: date) -> bool:
    gone = before.get(change.where, {}).get("deprecated")
    return bool(
        gone
        and change.where not in after
        and date.fromisoformat(gone["until"]) < today
        and gone["successor"] in after
        and gone["successor"].partition(".")[0] != change.where.partition(".")[0]
    )
