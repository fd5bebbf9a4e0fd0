"""A process of its own for Great Expectations, so that its import (seconds) and its rules run beside the reading of files.

Belongs here: both ends of the pipe, and what happens where the process is lost. Does not belong here: what is run in it
(:mod:`expectations.engine`). ``python -m expectations.worker`` is the far end; it ends when its standard input does, so
it outlives nobody, also not a caller that was killed.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from .engine import Asked, Ids

_NOT_NEEDED = ("sqlalchemy", "psycopg2", "shapely")
"""What the library can do without where it judges frames; without them it is there sooner, and 25 MB smaller."""
STOPPED = "the engine's process ended"


class EngineLost(RuntimeError):
    """The engine's process cannot be started; the text names the type of the error."""


class Worker:
    """The near end. Not safe for threads; belongs to the process that made it (:attr:`mine`)."""

    def __init__(self) -> None:
        self._made_in = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self.start()

    @property
    def mine(self) -> bool:
        """False in a fork of the process that made it: the pipe has one reader only."""
        return self._made_in == os.getpid()

    def start(self) -> None:
        """Start the process and return at once; it imports meanwhile."""
        # it finds the packages where this process has found them
        places = {"PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path)}
        command = [sys.executable, "-P", "-m", "expectations.worker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | places
        )
        self._ready = False
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the process, whatever it does."""
        atexit.unregister(self.stop)
        if self._process is not None and self.mine:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def run(self, frame: pl.DataFrame, asked: Sequence[Asked]) -> dict[str, Ids | str]:
        """As :meth:`expectations.engine.Engine.run`. ``frame``: ``_id`` and what the plans read, encoded.

        A process that dies over a batch is started anew and tried once more; then no rule could run. Raises
        :class:`EngineLost` where it cannot be started at all.
        """
        import polars as pl

        stream = io.BytesIO()
        frame.write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
        for _ in range(2):
            if self._process is None:
                self.start()
            answers = self._ask(stream.getbuffer(), list(asked))
            if answers is not None:
                return answers
        return {one.check: STOPPED for one in asked}

    def _ask(self, batch: memoryview, asked: list[Asked]) -> dict[str, Ids | str] | None:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        try:
            if not self._ready:
                said = pickle.load(self._process.stdout)
                if said != "ready":
                    raise EngineLost(said)
                self._ready = True
            pickle.dump((len(batch), asked), self._process.stdin)
            self._process.stdin.write(batch)
            self._process.stdin.flush()
            answers: dict[str, Ids | str] = pickle.load(self._process.stdout)
            return answers
        except (OSError, EOFError, pickle.UnpicklingError):
            ready = self._ready
            self.stop()
            if not ready:
                raise EngineLost("Great Expectations cannot be started") from None
            return None
        except BaseException:
            self.stop()  # its answer would be taken for that to the next question
            raise


def main() -> None:
    """The far end: answer until standard input ends. Nothing but answers is written to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the caller as well, and that decides
    answers, questions = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def answer(what: Any) -> None:
        answers.write(pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL))
        answers.flush()

    for name in _NOT_NEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # their import fails, as where they are not installed
    try:
        from .engine import Engine

        engine = Engine()
        import pyarrow as pa
    except Exception as problem:
        answer(f"Great Expectations cannot be imported ({type(problem).__name__})")
        return
    answer("ready")
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            size, asked = pickle.load(questions)
            batch = questions.read(size)
            if len(batch) < size:
                return
            answer(engine.run(pa.ipc.open_stream(batch).read_all(), asked))


if __name__ == "__main__":
    main()
