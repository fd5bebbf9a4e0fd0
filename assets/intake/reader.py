"""A process of its own for parsing what was sent: a file that breaks or fills its parser costs that file, and no run.

Here: both ends of the pipe, the bounds on memory and time, and what is said of a file on which the process was lost. Not
here: the parsing (:mod:`.grids`). ``python -m assets.intake.reader`` is the far end. It ends when its standard input does,
so it outlives nobody; in a parser that never ends, its processor time runs out.

The near end believes nothing: what comes back is JSON and Arrow, within bounds and of the expected shape, and is never
unpickled. The far end is started and not forked, knows none of our settings, and may write no files.

One process reads all files of a run. It is replaced when it has died, and when it has kept much memory of what it has read,
so that what becomes of a file does not depend on the files before it.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import logging
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import IO, Any

from schemas import messages
from schemas.codes import CODES
from schemas.grid import KIND, Grid, Problem, Unreadable

from .limits import MIB, Limits

log = logging.getLogger(__name__)

Grids = tuple[list[Grid], list[Problem]]

_LENGTH = 8
_SAID_MAX = 64 * MIB
"""Bytes of an answer without the cells: names, merged ranges, bold and hidden rows."""
_START_SECONDS = 120
_WALL = 4
"""Seconds that the near end waits per second of processor time that the far end has."""
_KEPT_MAX = 256 * MIB
_CELLS = "cells"
_LINUX = sys.platform.startswith("linux")
_LETTERS = re.compile("[A-Z]{1,3}")
_NO_MEMORY = (b"memory allocation of", b"bad_alloc", b"MemoryError", b"out of memory")
"""What Rust, C++, Python and others say before they end a process that has no memory left."""
_SENSELESS = (OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What comes of an answer that is cut off or is none."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_OWN = {
    # one file at a time is read beside the run itself; more threads would only take memory
    **dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"), "1"),
    "RUST_BACKTRACE": "0",
    "PYTHONFAULTHANDLER": "",
}


class ReaderLost(RuntimeError):
    """The reading process cannot be started, or its reader was closed; says nothing about any file."""


class _Died(Exception):
    """The far end is gone, or what it said makes no sense. ``late``: it was out of time; ``memory``: out of memory."""

    def __init__(self, late: bool = False, memory: bool = False) -> None:
        super().__init__()
        self.late, self.memory = late, memory


class _Late(Exception):
    pass


# ------------------------------------------------------------------------------------------------------------- near end


class Reader:
    """The near end; reads one file at a time, also for several threads. Belongs to the process that made it."""

    def __init__(self, far_end: str = "assets.intake.reader") -> None:
        self._far_end = far_end
        self._made_in = os.getpid()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = self._closed = False
        self._errors: IO[bytes] | None = None
        self.starts = 0
        """How often a process was started."""
        self.start()

    @property
    def usable(self) -> bool:
        """False once closed, and in a fork of the process that made it: the pipe has one reader only."""
        return not self._closed and self._made_in == os.getpid()

    def start(self) -> None:
        """Start the process and return at once; it imports meanwhile. Raises :class:`ReaderLost`."""
        # it finds the packages where this process has found them
        places = {"PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path)}
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _OWN | places
        command = [sys.executable, "-P", "-m", self._far_end]
        try:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  it is closed with the process
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0, env=environment
            )
        except OSError as error:
            raise ReaderLost(f"the reading process cannot be started ({type(error).__name__})") from None
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]
        self._ready = False
        self.starts += 1
        atexit.register(self._end)

    def close(self) -> None:
        """End the process, whatever it does. A file that another thread is reading raises :class:`ReaderLost` there."""
        self._closed = True
        process = self._process
        if process is not None and self._made_in == os.getpid():
            process.kill()
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def read(self, data: bytes, file_name: str, limits: Limits) -> Grids:
        """The sheets of a file, and what is to be said about it.

        A process that dies over a file is started anew and tried once more, for it may have died of something else; dying
        twice is the file's fault. Raises :class:`Unreadable` with a code of reading, TOO_LARGE (``limit``), READER_TIMEOUT,
        READER_DIED or INTERNAL; :class:`ReaderLost`.
        """
        if len(data) > limits.file_bytes:
            raise too_long(limits)
        with self._lock:
            for _ in range(2):
                if self._closed:
                    raise ReaderLost("the reader is closed")
                if self._process is None:
                    self.start()
                self._await_ready()
                try:
                    return self._ask(data, file_name, limits)
                except _Died as death:
                    if self._closed:
                        raise ReaderLost("the reader is closed") from None
                    if death.late:
                        raise Unreadable("READER_TIMEOUT", limit=limits.seconds) from None
                    if death.memory:
                        raise _out_of_memory(limits) from None
        raise Unreadable("READER_DIED")

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            self._ready = self._said(time.monotonic() + _START_SECONDS) == {"ready": True}
        except (_Late, *_SENSELESS):
            pass
        if not self._ready:
            self._end()
            raise ReaderLost("the reading process cannot be started")

    def _ask(self, data: bytes, file_name: str, limits: Limits) -> Grids:
        deadline = time.monotonic() + _WALL * limits.seconds
        head = json.dumps({"name": file_name, "size": len(data), "limits": asdict(limits)}).encode()
        said: dict[str, Any] = {}
        try:
            self._send(len(head).to_bytes(_LENGTH, "big") + head, deadline)
            self._send(data, deadline)
            said = self._said(deadline)
            frames = [self._frame(int(size), limits, deadline) for size in said.get("frames", ())]
            answer = _understood(said, frames, limits)
            if not said.get("stays"):
                self._end()
            return answer
        except Unreadable:
            if not said.get("stays"):
                self._end()
            raise
        except _Late:
            self._end()
            raise _Died(late=True) from None
        except _SENSELESS:
            raise self._end() from None
        except BaseException:
            self._end()  # its answer would be taken for that to the next question
            raise

    def _end(self) -> _Died:
        """End the process, and what its end says."""
        atexit.unregister(self._end)
        process, errors, self._process, self._errors = self._process, self._errors, None, None
        death = _Died()
        if process is None or errors is None or self._made_in != os.getpid():
            return death
        # one that is about to end by itself has its reason told by how it does
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.stdin.close()  # type: ignore[union-attr]
            process.wait(0 if self._closed else 1)
        process.kill()
        process.stdout.close()  # type: ignore[union-attr]
        status = process.wait()
        errors.seek(0)
        # what it printed may quote cells: looked through, not kept
        printed = errors.read(MIB)
        errors.close()
        if status == -signal.SIGPROF:
            death.late = True
        elif status != 0 and any(word in printed for word in _NO_MEMORY):
            death.memory = True
        return death

    def _send(self, data: bytes, deadline: float) -> None:
        assert self._process is not None and self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        rest = memoryview(data)
        while rest:
            _wait(pipe, select.POLLOUT, deadline)
            rest = rest[os.write(pipe, rest[:MIB]) :]

    def _said(self, deadline: float) -> dict[str, Any]:
        size = int.from_bytes(self._receive(_LENGTH, deadline), "big")
        if size > _SAID_MAX:
            raise ValueError("answer")
        said = json.loads(self._receive(size, deadline))
        if not isinstance(said, dict):
            raise ValueError("answer")
        return said

    def _frame(self, size: int, limits: Limits, deadline: float) -> Any:
        if not 0 <= size <= limits.memory_bytes:
            raise ValueError("answer")
        return unpacked(self._receive(size, deadline))

    def _receive(self, size: int, deadline: float) -> bytearray:
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            _wait(pipe, select.POLLIN, deadline)
            count = os.readv(pipe, [rest])
            if not count:
                raise EOFError
            rest = rest[count:]
        return data


def _wait(pipe: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise _Late


def _understood(said: Mapping[str, Any], frames: Sequence[Any], limits: Limits) -> Grids:
    """What the far end said, of the expected shape; else :class:`ValueError` and the like."""
    if said.get("memory"):
        raise _out_of_memory(limits)
    if "fault" in said:
        fault, place = _word(said["fault"]), _word(said["place"])
        log.error("a file could not be read: %s at %s", fault, place)
        raise Unreadable("INTERNAL", fault=fault)
    if "refused" in said:
        problem = _problem(said["refused"])
        raise Unreadable(problem.code, **problem.params)
    if len(said["grids"]) != len(frames):
        raise ValueError("answer")
    grids = [_grid(told, frame) for told, frame in zip(said["grids"], frames, strict=True)]
    return grids, [_problem(told) for told in said["problems"]]


def _word(text: Any) -> str:
    if not re.fullmatch(r"[\w.:]{1,80}", text, re.ASCII):
        raise ValueError("answer")
    return str(text)


def _problem(told: Mapping[str, Any]) -> Problem:
    if told["code"] not in CODES or not isinstance(told["params"], dict):
        raise ValueError("answer")
    return Problem(told["code"], told["params"])


def _grid(told: Mapping[str, Any], frame: Any) -> Grid:
    import polars as pl

    if told["counted"] and _CELLS not in frame.columns:
        raise ValueError("answer")
    cells = frame.get_column(_CELLS) if told["counted"] else None
    frame = frame.drop(_CELLS) if told["counted"] else frame
    names = frame.columns[1::2]
    expected: dict[str, Any] = {"_row": pl.Int32}
    for name in names:
        expected |= {name: pl.String, name + KIND: pl.UInt8}
    if frame.schema != expected or not all(map(_LETTERS.fullmatch, names)) or any(frame.null_count().row(0)):
        raise ValueError("answer")
    if cells is not None and cells.dtype != pl.UInt32:
        raise ValueError("answer")
    return Grid(
        name=_text(told["name"]),
        index=int(told["index"]),
        frame=frame,
        hidden=bool(told["hidden"]),
        hidden_rows=tuple(map(int, told["hidden_rows"])),
        merged=tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in told["merged"]),
        bold_rows=frozenset(map(int, told["bold_rows"])),
        cells=cells,
        notes=[_problem(note) for note in told["notes"]],
    )


def unpacked(data: bytearray) -> Any:
    """The frame of an Arrow stream that may hold anything; raises :class:`ValueError`.

    By Arrow's own reader, which is made for this: Polars takes memory as the lengths in the stream say, and ends the process
    where there is none.
    """
    import polars as pl
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(pa.py_buffer(data), options=pa.ipc.IpcReadOptions(use_threads=False)) as stream:
            table = stream.read_all()
        table.validate(full=True)
    except (pa.ArrowException, MemoryError):
        raise ValueError("answer") from None
    if any(field.type not in (pa.int32(), pa.uint8(), pa.uint32(), pa.large_string()) for field in table.schema):
        raise ValueError("answer")
    try:
        return pl.DataFrame(pl.from_arrow(table))
    except pl.exceptions.PolarsError:  # a name that comes twice
        raise ValueError("answer") from None


def _text(told: Any) -> str:
    if not isinstance(told, str):
        raise ValueError("answer")
    return told


def _out_of_memory(limits: Limits) -> Unreadable:
    return Unreadable("TOO_LARGE", limit=messages.text("limit", "memory_mb", n=limits.memory_bytes // MIB))


def too_long(limits: Limits) -> Unreadable:
    """The refusal of a file for its size alone."""
    return Unreadable("TOO_LARGE", limit=messages.text("limit", "file_mb", n=limits.file_bytes // MIB))


_making = threading.Lock()
_reader: Reader | None = None


def warm() -> None:
    """Have this process's reader start (a second) while the caller does other things."""
    shared()


def shared() -> Reader:
    """The reader of this process, started where there is none."""
    global _reader
    with _making:
        if _reader is None or not _reader.usable:
            _reader = Reader()
        return _reader


def read_apart(data: bytes, file_name: str, limits: Limits) -> Grids:
    """As :func:`assets.intake.grids.grids_of`, by this process's reader; raises as :meth:`Reader.read` does."""
    return shared().read(data, file_name, limits)


# -------------------------------------------------------------------------------------------------------------- far end


def main() -> None:
    """Answer until standard input ends. Nothing but answers is written to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the caller as well, and that decides
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold what was sent
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))  # standard error only, and not much of it
    answers, questions = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def answer(said: Mapping[str, Any], frames: Sequence[bytes] = ()) -> None:
        head = json.dumps(said).encode()
        answers.write(len(head).to_bytes(_LENGTH, "big") + head)
        for frame in frames:
            answers.write(frame)
        answers.flush()

    from .grids import grids_of

    # the threads and tables that libraries make at their first work are no file's
    for grid in grids_of(b"a,b\n" * 10_000, "")[0]:
        packed(grid)
    answer({"ready": True})
    least = _memory()
    with contextlib.suppress(BrokenPipeError):
        while len(length := questions.read(_LENGTH)) == _LENGTH:
            asked = json.loads(questions.read(int.from_bytes(length, "big")))
            data = questions.read(asked["size"])
            if len(data) < asked["size"]:
                return
            limits = Limits(**asked["limits"])
            bound(limits)
            said, frames = _answered(grids_of, data, asked["name"], limits)
            stays = not said.get("memory") and _memory() - least < _KEPT_MAX
            unbound()
            answer(said | {"stays": stays}, frames)
            if not stays:
                return


def bound(limits: Limits) -> None:
    """From here on this process may take so much more memory and processor time, and is ended beyond it.

    Memory is what is private and may be written (Linux, RLIMIT_DATA); the address space would count what libraries
    reserve and never use: a gigabyte for Polars and Arrow. Other systems have no bound that works: there it is the time.
    """
    if _LINUX:
        resource.setrlimit(resource.RLIMIT_DATA, (_memory() + limits.memory_bytes, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)


def unbound() -> None:
    """Take the bounds back."""
    signal.setitimer(signal.ITIMER_PROF, 0)
    if _LINUX:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _memory() -> int:
    """Bytes that count against the bound on memory; where there is none, the greatest that were in use."""
    if _LINUX:
        with open("/proc/self/status", "rb") as status:
            return 1024 * next(int(line.split()[1]) for line in status if line.startswith(b"VmData"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _answered(
    grids_of: Callable[[bytes, str, Limits], Grids], data: bytes, name: str, limits: Limits
) -> tuple[dict[str, Any], list[bytes]]:
    """The answer to one file. What is no refusal of ours is told by its type and place: its text may quote a cell."""
    try:
        grids, problems = grids_of(data, name, limits)
        frames = [packed(grid) for grid in grids]
        said = {
            "grids": [
                {
                    "name": g.name,
                    "index": g.index,
                    "hidden": g.hidden,
                    "hidden_rows": g.hidden_rows,
                    "merged": g.merged,
                    "bold_rows": list(g.bold_rows),
                    "notes": [asdict(note) for note in g.notes],
                    "counted": g.cells is not None,
                }
                for g in grids
            ],
            "problems": [asdict(problem) for problem in problems],
            "frames": list(map(len, frames)),
        }
        if sum(map(len, frames)) > limits.memory_bytes or len(json.dumps(said)) > _SAID_MAX:
            return {"memory": True}, []
        return said, frames
    except BaseException as error:  # a panic of Polars is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        if _lacks_memory(error):
            return {"memory": True}, []
        if isinstance(error, Unreadable):
            return {"refused": asdict(error.problem)}, []
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        place = f"{os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}" if last else "?"
        return {"fault": type(error).__name__, "place": re.sub(r"[^\w.:]", "_", place)[:80]}, []


def packed(grid: Grid) -> bytes:
    """The cells of a grid as an Arrow stream."""
    import polars as pl

    frame = grid.frame if grid.cells is None else grid.frame.with_columns(grid.cells.alias(_CELLS))
    stream = io.BytesIO()
    frame.write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
    return stream.getvalue()


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether an error comes of one for want of memory; libxml2 has a number for it."""
    while error is not None:
        if isinstance(error, MemoryError) or (type(error).__name__ == "XMLSyntaxError" and error.code == 2):  # type: ignore[attr-defined]
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    main()
