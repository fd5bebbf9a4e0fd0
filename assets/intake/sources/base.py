"""What the kinds of sources have in common: a batch of rows, a watermark, and the kinds of what can go wrong."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.sources import Incremental, Limits

Rows = Sequence[Mapping[str, Any]]
_BOUNDARY = 100_000
"""Rows at the watermark that are remembered; more mean that it tells nothing apart."""


class PullFailed(Exception):
    """A source could not be read to the end. ``fault``: which kind; ``remedy``: what to do. Never what a server said: it may quote
    rows, passwords and addresses."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(f"{fault}: {remedy}")
        self.fault, self.remedy = fault, remedy


@dataclass(frozen=True)
class Mark:
    """How far a source was taken: the greatest value of its column, and hashes of the rows that may come again."""

    value: Any
    boundary: frozenset[str] = frozenset()

    def stored(self) -> dict[str, str]:
        """As it is kept."""
        return {
            "type": type(self.value).__name__,
            "value": self.value.isoformat() if isinstance(self.value, date) else str(self.value),
        }

    @staticmethod
    def read(stored: Mapping[str, str] | None, boundary: Collection[str]) -> Mark | None:
        """From what was kept."""
        if stored is None:
            return None
        value = stored["value"]
        readers: dict[str, Any] = {
            "datetime": datetime.fromisoformat,
            "date": date.fromisoformat,
            "int": int,
            "float": float,
            "Decimal": Decimal,
        }
        return Mark(readers.get(stored["type"], str)(value), frozenset(boundary))


@dataclass
class Taking:
    """Counts while a source is read, and keeps it within its limits. ``clock``: seconds."""

    limits: Limits
    clock: Any = time.monotonic
    rows: int = 0
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.limits.seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return float(self._until - self.clock())

    def count(self, rows: int) -> None:
        """Some rows more; raises :class:`PullFailed`."""
        self.rows += rows
        if self.rows > self.limits.rows:
            raise PullFailed(
                "TOO_MANY_ROWS", f"more than {self.limits.rows} rows came; raise limits.rows, or take only what is new"
            )
        self.in_time()

    def in_time(self) -> None:
        """Raises :class:`PullFailed` where the time is over."""
        if self.left <= 0:
            raise PullFailed(
                "TOO_SLOW",
                f"it took longer than {self.limits.seconds} s; raise limits.seconds, or take only what is new",
            )

    def bytes(self, size: int) -> None:
        """So many bytes have been written; raises :class:`PullFailed`."""
        if size > self.limits.bytes:
            raise PullFailed(
                "TOO_MANY_BYTES",
                f"more than {self.limits.bytes >> 20} MB came; raise limits.bytes, or take only what is new",
            )


@dataclass
class News:
    """Leaves out of what comes the rows that were taken before, and finds the watermark. Without ``how`` all are news."""

    how: Incremental | None
    mark: Mark | None
    unmarked: int = 0
    """Rows that came without a value in the column that tells what is new."""
    _greatest: Any = None
    _near: dict[str, Any] = field(default_factory=dict)

    @property
    def since(self) -> Any:
        """From which value on rows are asked for; None: all."""
        if self.mark is None or self.how is None:
            return None
        value, back = self.mark.value, self.how.lookback
        if not back:
            return value
        if isinstance(value, int | float | Decimal):
            if isinstance(back, timedelta):
                raise PullFailed(
                    "NO_LOOKBACK",
                    f"the values of {self.how.column} are numbers; write lookback as one, by which rows may come late: 1000",
                )
            return value - back
        if not isinstance(back, timedelta):
            back = timedelta(seconds=back)
        if isinstance(value, datetime):
            return value - back
        if isinstance(value, date):
            return value - timedelta(days=-(-back // timedelta(days=1)))
        return _text_back(value, self.how.column, back) if isinstance(value, str) else value

    def of(self, batches: Iterable[Rows]) -> Iterator[Rows]:
        """The batches without rows that were taken before; empty ones are left out."""
        if self.how is None:
            yield from (b for b in batches if b)
            return
        column, known = self.how.column, self.mark.boundary if self.mark else frozenset()
        for batch in batches:
            if batch and column not in batch[0]:
                raise PullFailed(
                    "NO_WATERMARK",
                    f"there is no column {column} any more, which tells what is new; mend incremental.column",
                )
            hashes = [_hash(row) for row in batch]
            fresh = [row for row, name in zip(batch, hashes, strict=True) if name not in known]
            self._see(batch, hashes, column)
            if fresh:
                yield fresh

    def _see(self, batch: Rows, hashes: Sequence[str], column: str) -> None:
        values = [row[column] for row in batch]
        told = [v for v in values if v is not None]
        self.unmarked += len(values) - len(told)
        try:
            self._greatest = max([*told, *([] if self._greatest is None else [self._greatest])], default=None)
            # rows without a value may come each time; they are not taken each time
            self._near |= dict(zip(hashes, values, strict=True))
            least = self._back(self._greatest)
            self._near = {name: v for name, v in self._near.items() if v is None or v >= least}
        except TypeError:
            raise PullFailed(
                "MIXED_WATERMARK", f"the values of {column} are of several kinds and have no order"
            ) from None
        if len(self._near) > _BOUNDARY:
            raise PullFailed(
                "COARSE_WATERMARK",
                f"more than {_BOUNDARY} rows have the newest {column}; take a column that tells them apart, or a shorter lookback",
            )

    def _back(self, value: Any) -> Any:
        return News(self.how, Mark(value)).since if value is not None else value

    def reached(self) -> Mark | None:
        """The watermark after all was read; the old one where nothing newer came."""
        if self._greatest is None or (self.mark is not None and self._greatest < self.mark.value):
            return self.mark
        return Mark(self._greatest, frozenset(self._near))


def _text_back(value: str, column: str, back: timedelta) -> str:
    """A moment that is written as text (ISO 8601), earlier and written alike: texts are compared as texts."""
    try:
        moment = datetime.fromisoformat(value) - back
    except ValueError:
        raise PullFailed(
            "NO_LOOKBACK", f"the values of {column} are no moments, so that no lookback can be counted"
        ) from None
    if len(value) == 10:
        return (moment - timedelta(days=1)).date().isoformat()
    fraction = len(value.partition(".")[2].rstrip("Z").partition("+")[0])
    timespec = "seconds" if not fraction else "milliseconds" if fraction == 3 else "microseconds"
    text = moment.isoformat(value[10], timespec)
    return text.replace("+00:00", "Z") if value.endswith("Z") else text


def _hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:24]
