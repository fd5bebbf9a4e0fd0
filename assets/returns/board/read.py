"""What a board shows, read in one transaction at one publish.

Here: the questions, and for whom they are asked. Not here: pages and pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from assets.core.worklists import LISTS, Source, counts
from assets.returns.answers import answer
from schemas.contract import Contract

_HERE = Path(__file__).parent
Row = dict[str, Any]

_ANSWERS = 300
"""Submissions of a sender with a page of their own, the newest."""
PUBLIC, PROVINCE = "public", "province"
"""Who a board is for, besides senders by their codes."""


class NoSuchAudience(ValueError):
    """A board is asked for that is neither for a known word nor for a sender."""


@dataclass
class Board:
    """Everything that the pages are made of. ``audience``: ``public``, ``province`` or the code of a sender.

    ``log``: a row for each sender, dataset and period (``mart_v1.submission_log``); ``figures``: the catalogue of indicators with
    the newest value of the province; ``trend``: (indicator, variant) -> its values for the province, oldest first; ``units``:
    (indicator, variant) -> the newest value of each commune, organisation, bloc or field; ``waiting``: work list -> how much waits
    in it; ``submissions`` and ``errors``: of those senders whom the audience may look at; ``answers``: submission -> its answer,
    for its sender alone.
    """

    audience: str
    publish: int
    published_at: Any
    senders: list[Row]
    log: list[Row]
    figures: list[Row]
    trend: dict[tuple[str, str], list[Row]]
    units: dict[tuple[str, str], list[Row]]
    waiting: dict[str, int]
    submissions: list[Row] = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)
    answers: dict[str, Row] = field(default_factory=dict)

    def may_see(self, sender: str) -> bool:
        """Whether the audience may see the submissions of a sender."""
        return self.audience in (PROVINCE, sender)


def read(connection: psycopg.Connection, contracts: Mapping[str, Contract], audience: str = PUBLIC) -> Board:
    """Read the board of an audience; :class:`NoSuchAudience` where there is none."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")

        def rows(name: str, **parameters: Any) -> list[Row]:
            return cursor.execute((_HERE / f"{name}.sql").read_text(encoding="utf-8"), parameters or None).fetchall()

        senders = rows("senders")
        if audience not in (PUBLIC, PROVINCE) and audience not in {s["code"] for s in senders}:
            raise NoSuchAudience(f"there is no sender {audience}; a board is for public, for province, or for a sender")
        publish = rows("publish")[0]
        own = None if audience == PROVINCE else audience
        closed = audience == PUBLIC
        submissions = [] if closed else rows("submissions", sender=own)
        # what is said of cells, with what stands in them, goes back to their sender and to nobody else
        told = [] if audience in (PUBLIC, PROVINCE) else [u["submission_id"] for u in submissions[:_ANSWERS]]
        return Board(
            audience,
            publish["shows"],
            publish["published_at"],
            senders,
            rows("log"),
            rows("figures"),
            _by_figure(rows("trend")),
            _by_figure(rows("units")),
            {name: n for name, n in counts(Source(connection, contracts)).items() if n and name in LISTS},
            submissions,
            [] if closed else rows("errors", sender=own),
            {name: answer(connection, contracts, name) for name in told},
        )


def _by_figure(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["indicator"], row["variant"]), []).append(row)
    return found
