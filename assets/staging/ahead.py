"""Reads deliveries ahead of who stages them: one thread asks the reading process, so that it parses the next files while this
process cleans and writes the present ones.

Here: which deliveries are read when, and the bound on what waits. Not here: parsing (:mod:`assets.intake.reader`).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from assets.intake.archive import Archive
from assets.intake.ledger import Delivery
from assets.intake.limits import MIB, Limits
from assets.intake.reader import ReaderLost, read_apart, shared, too_long
from assets.intake.submissions import Content, SenderInfo, to_parse
from schemas.grid import Unreadable

log = logging.getLogger(__name__)

_WAITING_MAX = 48 * MIB
"""Bytes of sheets that wait to be staged, about; one delivery may be more."""
_UNPACKED = 10
"""Bytes of sheets that a byte of a file that is still to be read is taken for."""


@dataclass
class _Ahead:
    """A delivery that is read before its turn; ``size``: what its sheets are counted for while they wait."""

    content: Future[Content]
    size: int


class ReadAhead:
    """The contents of deliveries that are expected, read in their order. A context: what still waits at its end is not read.

    ``whole``: whether a delivery is to be read here, asked once of each. Used by one thread."""

    def __init__(
        self,
        archive: Archive,
        senders: Mapping[str, SenderInfo],
        limits: Limits,
        whole: Callable[[Delivery], bool] = lambda _: True,
    ) -> None:
        self._archive, self._senders, self._limits, self._whole = archive, senders, limits, whole
        self._left: dict[str, Delivery] = {}
        self._waiting: dict[str, _Ahead] = {}
        self._unweighed: deque[_Ahead] = deque()
        """Those of which it is not known yet how much they hold, in the order in which they are read."""
        self._size = 0
        """The sum of what all that waits is counted for: not added up anew for each of many files."""
        self._known: dict[str, bool] = {}
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        if any(ahead.content.running() for ahead in self._waiting.values()):
            shared().close()  # nobody waits for a file that nobody will take

    def expect(self, deliveries: Iterable[Delivery]) -> None:
        """Read these as soon as it is their turn; their bytes are in the archive. Those that are expected already are passed
        over."""
        for delivery in deliveries:
            if delivery.delivery_id not in self._known:
                self._known[delivery.delivery_id] = self._whole(delivery)
                if self._known[delivery.delivery_id]:
                    self._left[delivery.delivery_id] = delivery
        self._fill()

    def reads(self, delivery: Delivery) -> bool:
        """Whether a delivery that is expected is one to be read here."""
        return self._known[delivery.delivery_id]

    def take(self, delivery: Delivery) -> Content:
        """What is in a delivery; one whose turn has not come is read behind those whose turn has.

        Raises :class:`assets.intake.archive.Damaged`, :class:`assets.intake.archive.Destroyed`, :class:`FileNotFoundError`,
        and what says nothing about the file (:class:`ReaderLost`, an archive that does not answer).
        """
        self._fill()
        ahead = self._waiting.pop(delivery.delivery_id, None)
        if ahead is None:
            self._left.pop(delivery.delivery_id, None)
            self._known[delivery.delivery_id] = True
            return self._thread.submit(self._content, delivery).result()
        self._size -= ahead.size
        ahead.size = 0
        return ahead.content.result()

    def _fill(self) -> None:
        # one thread reads them in their order: those that are read stand before those that are not
        while self._unweighed and self._unweighed[0].content.done():
            ahead = self._unweighed.popleft()
            size = _size(ahead.content) if ahead.size else 0
            self._size += size - ahead.size
            ahead.size = size
        while self._left and (not self._waiting or self._size < _WAITING_MAX):
            delivery = self._left.pop(next(iter(self._left)))
            ahead = _Ahead(self._thread.submit(self._content, delivery), delivery.size * _UNPACKED + 1)
            self._waiting[delivery.delivery_id] = ahead
            self._unweighed.append(ahead)
            self._size += ahead.size

    def _content(self, delivery: Delivery) -> Content:
        if delivery.size > self._limits.file_bytes:
            return too_long(self._limits)
        data = self._archive.read(delivery.sha256)
        if not to_parse(delivery, self._senders):
            return [], []
        try:
            return read_apart(data, delivery.file_name, self._limits)
        except Unreadable as refused:
            return refused
        except ReaderLost:
            raise
        except Exception as error:  # a fault of ours in reading one file must not stop the others
            log.error("delivery %s could not be read: %s", delivery.delivery_id, type(error).__name__)
            return Unreadable("INTERNAL", fault=type(error).__name__)


def _size(read: Future[Content]) -> int:
    """Bytes of the sheets of a delivery that is read."""
    if read.cancelled() or read.exception() is not None:
        return 0
    content = read.result()
    return 0 if isinstance(content, Unreadable) else int(sum(grid.frame.estimated_size() for grid in content[0]))
