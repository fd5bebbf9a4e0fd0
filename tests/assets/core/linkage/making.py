"""Records for tests of the linkage: a few people, each line saying only what the test is about."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from assets.core.linkage import DECISIONS, RECORDS, Linked

BORN = date(1985, 2, 1)
WHO = {
    "name": "Nguyễn Thị Thu Hòa", "born": BORN, "sex": "NU", "personal_id": None, "id_card": None, "commune": "22366",
    "agency": "Ủy ban nhân dân phường Nha Trang",
}  # fmt: skip
ID = "056185001234"


def record(number: int, *, keyed: bool = False, lists: list[int] | None = None, **said: Any) -> dict[str, Any]:
    """One record; what is not said is :data:`WHO`; each stands in a list of its own."""
    if keyed and "personal_id" not in said:
        said["personal_id"] = ID
    own = [1000 + number] if lists is None else lists
    return {"record": number, "keyed": keyed, "registered": said.pop("registered", number), "lists": own, **WHO, **said}


def as_set(statement: str) -> list[str]:
    """The lines of a statement in no order: Splink takes the columns of a level from a set, whose order is another one in each
    process."""
    return sorted(line.strip(" ,") for line in statement.splitlines())


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """The frame that the linkage takes."""
    return pl.DataFrame(list(rows), RECORDS)


def decided(*words: tuple[int, int, bool]) -> pl.DataFrame:
    """Decisions: left, right, same."""
    return pl.DataFrame(list(words), DECISIONS, orient="row")


def joined(linked: Linked) -> set[frozenset[int]]:
    """The clusters of more than one record."""
    every = pl.concat([linked.members.select("record", "root"), linked.links.select("record", "root")])
    found = every.group_by("root").agg("record").rows()
    return {frozenset([root, *others]) for root, others in found}


def asked(linked: Linked) -> dict[tuple[int, int], str]:
    """The pairs of the queue and why."""
    return {(left, right): why for left, right, why in linked.queue.select("left", "right", "why").iter_rows()}
