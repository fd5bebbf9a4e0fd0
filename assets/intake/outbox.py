"""The outbox: what the ledger has to tell the board of who has sent what, and has not told yet.

A submission waits here while its ``announced_state`` differs from its ``state``. The state that was told is written
back after it was told, so a crash in between tells it again and loses nothing; whoever reads the board must not mind
hearing a word twice. Not here: the form in which it is told (``definitions``), the answer to the sender
(``assets.returns``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.rows import class_row

_HERE = Path(__file__).parent

Level = Literal["passed", "warning", "error"]
Place = tuple[str | None, str | None, str]
"""(dataset, period label, sender): a place on the board; dataset and period may be unknown."""


@dataclass(frozen=True)
class Word:
    """A submission as it now stands: counts and codes, nothing that a row or a file name says."""

    submission_no: int
    submission_id: str
    delivery_id: str
    dataset: str | None
    period: str | None
    sender: str
    state: str
    received_at: datetime
    as_of: date | None
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_set_aside: int
    rows_flagged: int
    codes: list[str]
    state_publish: int | None

    @property
    def place(self) -> Place:
        """Where on the board it belongs."""
        return self.dataset, self.period, self.sender

    @property
    def stands(self) -> bool:
        """Whether rows of it are in the warehouse."""
        return self.state in ("accepted", "partly")

    @property
    def level(self) -> Level:
        """What its state means as a verdict."""
        if self.state == "accepted":
            return "passed"
        if self.state == "rejected" or (self.state == "held" and "RULE_COULD_NOT_RUN" in self.codes):
            return "error"
        return "warning"


def sweep(connection: psycopg.Connection, batch: int = 100) -> Iterator[Sequence[Word]]:
    """The submissions that wait, oldest first, in batches; a batch counts as told when the next one is asked for.

    What is written back is the state that was told, not the one that stands by then: a state that changed meanwhile
    waits again.
    """
    after = 0
    while True:
        with connection.cursor(row_factory=class_row(Word)) as cursor:
            words = cursor.execute(_sql("words"), {"after": after, "batch": batch}).fetchall()
        if not words:
            return
        yield words
        connection.execute(
            "update intake.submission u set announced_state = t.state "
            "from unnest(%s::bigint[], %s::text[]) t (no, state) where u.submission_no = t.no",
            [[w.submission_no for w in words], [w.state for w in words]],
        )
        after = words[-1].submission_no


def last_words(connection: psycopg.Connection, places: Iterable[Place]) -> dict[Place, Word | None]:
    """The last word at each place: of the submissions not replaced, repeated or withdrawn, the one received last.

    None where nothing but such was sent. A function of the set of submissions, whatever the order of telling.
    """
    wanted = list(dict.fromkeys(places))
    with connection.cursor(row_factory=class_row(Word)) as cursor:
        found = cursor.execute(
            _sql("last_words"),
            {"datasets": [p[0] for p in wanted], "periods": [p[1] for p in wanted], "senders": [p[2] for p in wanted]},
        )
        by_place: dict[Place, Word | None] = {word.place: word for word in found}
    return {place: by_place.get(place) for place in wanted}


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")
