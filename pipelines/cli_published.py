"""``lienthong contracts published``: the contracts of what apps read, as files and as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from assets.marts.published import document
from schemas.contract import builtin_folder, load_contracts
from schemas.published import promised

from .cli_output import Screen
from .report import Unclear


def wanted(view: str | None) -> dict[str, dict[str, Any]]:
    """What is promised of all views, or of one; raises :class:`Unclear` where there is none of that name."""
    every = promised()
    if view is None:
        return every
    full = view if "." in view else f"mart_v1.{view}"
    if full not in every:
        near = get_close_matches(full, every, 1)
        raise Unclear(
            f"there is no published view {view}" + (f"; did you mean {near[0].partition('.')[2]}?" if near else "")
        )
    return {full: every[full]}


def documents(promise: Mapping[str, Mapping[str, Any]], folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """View -> its contract."""
    contracts = load_contracts([builtin_folder(), *folders])
    return {view: document(view, said, contracts) for view, said in promise.items()}


def text(made: Mapping[str, Any]) -> str:
    """A contract as YAML."""
    return str(yaml.safe_dump(dict(made), allow_unicode=True, sort_keys=False, width=120))


def write(made: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """A file for each, ``<schema>.<view>.odcs.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    for view, one in made.items():
        (folder / f"{view}.odcs.yaml").write_text(text(one), encoding="utf-8")


def show(screen: Screen, promise: Mapping[str, Mapping[str, Any]]) -> None:
    """The list: view, version, how many columns, who reads it, until when."""
    screen.table(
        ["!view", "!version", ">columns", "readers", "stays until"],
        [
            [
                view, said["version"], len(said["columns"]), " ".join(r.removeprefix("lienthong_") for r in said["readers"]),
                said.get("deprecated", {}).get("until"),
            ]
            for view, said in promise.items()
        ],
    )  # fmt: skip
