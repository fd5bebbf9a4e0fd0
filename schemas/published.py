"""What apps may rely on in ``mart_v1``: whether a change of a published view breaks them, and the version that it makes.

Here belongs the judgement, as pure functions over the form of ``tests/schemas/snapshots/views.json``; reading the views of
a server does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["breaking", "addition"]


@dataclass(frozen=True)
class Change:
    """One difference that an app can notice; ``where`` is ``schema.view`` or ``schema.view.column``."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


def compare(before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """Say what changed between two states of the published views.

    Both are view -> ``{"columns": {name: SQL type}, "readers": [role]}``. A rename is a column gone and a column added, so it
    breaks. Any change of a type breaks, a wider one too: a reader that declared the narrower type may fail. The order of
    columns is no promise: apps name what they read.
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
                changes.append(Change("addition", where, f"a new column, {new[column]}"))
            elif old[column] != new[column]:
                changes.append(Change("breaking", where, f"{old[column]} became {new[column]}"))
        had, have = set(before[view]["readers"]), set(after[view]["readers"])
        changes += [Change("breaking", view, f"{role} may no longer read it") for role in sorted(had - have)]
        changes += [Change("addition", view, f"{role} may read it now") for role in sorted(have - had)]
    return changes


def next_version(version: tuple[int, int, int], changes: Iterable[Change]) -> tuple[int, int, int]:
    """Return the semantic version after the changes: major for a breaking one, minor for an addition, else the same."""
    kinds = {change.kind for change in changes}
    major, minor, _ = version
    if "breaking" in kinds:
        return major + 1, 0, 0
    return (major, minor + 1, 0) if "addition" in kinds else version
