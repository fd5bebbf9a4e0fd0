"""Where a run spends its time: small timers put around the pipeline's functions from outside, in the measured process.

Belongs here: which functions are timed under which name, and the sums. Product code holds no timers.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

FUNCTIONS = {
    "receive": ["pipelines.flow.Pipeline.receive"],
    "read": ["assets.staging.large.iter_csv", "assets.staging.ahead.read_apart"],
    "find rows": ["assets.staging.large.table_of", "assets.intake.submissions.find_tables"],
    "hash": [
        "assets.staging.large.raw_hashes",
        "assets.staging.observe.key_hash", "assets.staging.observe.value_hash",
    ],
    "duplicates": ["assets.staging.observe.duplicates", "assets.staging.large.duplicates"],
    "clean": ["assets.staging.large.observe", "assets.staging.stage.observe"],
    "check": ["assets.staging.stage.validate"],
    "Great Expectations (its process)": ["expectations.worker.Worker.run"],
    "copy": ["assets.staging.stage.copy_frame", "assets.staging.large.copy_frame"],
    "stage": ["pipelines.flow.Pipeline.stage"],
    "merge": ["assets.marts.publish.merge"],
    "rules across": ["assets.marts.publish.find"],
    "indicators": ["assets.marts.publish.compute"],
    "change feed": ["assets.marts.publish.record"],
    "publish": ["pipelines.flow.Pipeline.publish"],
}  # fmt: skip
"""Phase -> the functions, where their callers look them up, whose own time counts as it. 'stage' and 'publish' are what is
left of the step."""


class Phases:
    """Own seconds (without what is timed within) by phase and thread."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, bool], float] = defaultdict(float)
        self._local = threading.local()
        self._main = threading.current_thread()

    def install(self) -> None:
        """Put the timers around the functions of :data:`FUNCTIONS` and the building of indexes."""
        for phase, names in FUNCTIONS.items():
            for name in names:
                owner, attribute = _owner(name)
                setattr(owner, attribute, self.timed(phase, getattr(owner, attribute)))
        import psycopg

        execute = psycopg.Connection.execute
        indexing = self.timed("index", execute)

        def told(connection: Any, query: Any, *args: Any, **more: Any) -> Any:
            text = query if isinstance(query, str) else ""
            run = indexing if text.startswith(("create index", "create unique index")) else execute
            return run(connection, query, *args, **more)

        psycopg.Connection.execute = told  # type: ignore[method-assign, assignment]

    def timed(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its own time counted; of a generator, each step of it."""

        def wrapper(*args: Any, **more: Any) -> Any:
            found = self.count(phase, lambda: function(*args, **more))
            return self._steps(phase, found) if isinstance(found, Iterator) else found

        return wrapper

    def count(self, phase: str, call: Callable[[], Any]) -> Any:
        """Call, and count the time under the phase."""
        within = self._local.__dict__.setdefault("within", [])
        within.append(0.0)
        start = time.perf_counter()
        try:
            return call()
        finally:
            taken = time.perf_counter() - start
            self.seconds[phase, threading.current_thread() is self._main] += taken - within.pop()
            if within:
                within[-1] += taken

    def _steps(self, phase: str, steps: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while (item := self.count(phase, lambda: next(steps, end))) is not end:
            yield item

    def result(self) -> dict[str, float]:
        """Seconds by phase; what another thread did meanwhile is named so."""
        return {
            name if main else f"{name} (beside)": round(seconds, 3)
            for (name, main), seconds in sorted(self.seconds.items(), key=lambda item: -item[1])
        }


def _owner(name: str) -> tuple[Any, str]:
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for part in parts[size:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise ModuleNotFoundError(name)
