"""Break a run at a chosen moment: kill the process, or cut its connection to the database.

Here: counting the moments of a run (each statement, COPY and commit, each object of the archive, each step), and runs in
processes of their own that end themselves at one of them. Not here: what must hold afterwards.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psycopg
from fsspec.implementations.local import LocalFileSystem

import assets.marts.publish
import assets.staging.large
import assets.staging.stage
import pipelines.flow
from assets.intake.archive import Archive
from assets.staging.stage import Tools
from pipelines.flow import Pipeline
from pipelines.settings import Settings

Tell = Callable[[str], None]
"""Told the name of each moment as the run comes to it."""


@dataclass(frozen=True)
class Sizes:
    """How small the pieces of a run are, so that a small inbox has many of them."""

    batch_deliveries: int = 8
    large_bytes: int = 16 << 20


def watch(tell: Tell, sizes: Sizes, put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Have ``tell`` called at every moment of the runs to come. ``put`` sets an attribute (a test's monkeypatch, to undo it).

    Moments: ``sql`` (before a statement or a COPY, and between two pieces of one), ``commit`` (before) and
    ``committed``, ``moving`` (before an object of the archive gets its name) and ``stored``; after their work
    ``received``, ``batch`` (of deliveries staged), ``large`` (one staged in slices), ``staged``, ``merged`` (one
    dataset), ``prepared``, ``published``.
    """

    def before(owner: Any, name: str, moment: str) -> None:
        work = getattr(owner, name)

        @wraps(work)
        def told(*args: Any, **named: Any) -> Any:
            tell(moment)
            return work(*args, **named)

        put(owner, name, told)

    def after(owner: Any, name: str, moment: str) -> None:
        work = getattr(owner, name)

        @wraps(work)
        def told(*args: Any, **named: Any) -> Any:
            done = work(*args, **named)
            tell(moment)
            return done

        put(owner, name, told)

    for name in ("execute", "executemany", "copy"):
        before(psycopg.Cursor, name, "sql")
    before(psycopg.Copy, "write", "sql")
    before(psycopg.Transaction, "__exit__", "commit")
    after(psycopg.Transaction, "__exit__", "committed")
    before(LocalFileSystem, "mv", "moving")
    after(Archive, "put", "stored")
    after(Pipeline, "receive", "received")
    after(assets.staging.stage, "_flush", "batch")
    after(assets.staging.large, "stage_large", "large")
    after(Pipeline, "stage", "staged")
    after(assets.marts.publish, "merge", "merged")
    after(Pipeline, "prepare", "prepared")
    after(pipelines.flow, "publish", "published")
    tools = Pipeline.tools

    def smaller(self: Pipeline, *args: Any, **named: Any) -> Tools:
        made = tools(self, *args, **named)
        return replace(made, batch_deliveries=sizes.batch_deliveries, large_bytes=sizes.large_bytes)

    put(Pipeline, "tools", smaller)


class Countdown:
    """Acts at the n-th moment (of one name, or of any), counting from 1."""

    def __init__(self, act: Callable[[], None], moment: str | None, nth: int) -> None:
        self.act, self.moment, self.left, self.seen = act, moment, nth, Counter[str]()

    def __call__(self, moment: str) -> None:
        self.seen[moment] += 1
        if self.moment in (None, moment):
            self.left -= 1
            if self.left == 0:
                self.act()


def die() -> None:
    """End this process as a power cut would: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


def _child(settings: Settings, sizes: Sizes, moment: str | None, nth: int) -> None:
    # a semaphore of a library in the child must not outlive it
    multiprocessing.set_start_method("fork", force=True)
    watch(Countdown(die, moment, nth), sizes)
    Pipeline(settings).run()


def _counting(settings: Settings, sizes: Sizes, path: Path) -> None:
    countdown = Countdown(die, None, 0)
    watch(countdown, sizes)
    Pipeline(settings).run()
    path.write_text("\n".join(f"{name} {n}" for name, n in countdown.seen.items()))


def _start(target: Callable[..., None], *args: Any) -> ForkServerProcess:
    # forked from a process that has imported everything and has no threads: a start costs no imports
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.driver", "great_expectations", "expectations.run"])
    process = context.Process(target=target, args=args)
    process.start()
    return process


def moments(settings: Settings, sizes: Sizes, path: Path) -> Counter[str]:
    """Run in a process of its own and say how often each moment came. ``path``: a file for the answer."""
    process = _start(_counting, settings, sizes, path)
    process.join()
    assert process.exitcode == 0, process.exitcode
    return Counter({name: int(n) for name, n in (line.split() for line in path.read_text().splitlines())})


def start(settings: Settings) -> ForkServerProcess:
    """Start an ordinary run in a process of its own."""
    return _start(_child, settings, Sizes(), None, 0)


def killed(settings: Settings, sizes: Sizes, moment: str | None, nth: int) -> bool:
    """Run in a process of its own that is killed at the n-th moment; False where the run ended before that."""
    process = _start(_child, settings, sizes, moment, nth)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0
