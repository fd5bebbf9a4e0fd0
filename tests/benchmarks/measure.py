"""Measuring a program as a whole: seconds and peak memory of a child process, and databases for it to work on.

Belongs here: child processes, embedded server, medians. Not here: what is measured.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg

from pipelines.database import database_url
from pipelines.settings import Settings

ROOT = Path(__file__).parents[2]
_numbers = count(1)


@dataclass(frozen=True)
class Run:
    """A finished child: wall seconds from start to end, imports included; peak MB of it and all that it started, shared
    pages counted once; what it printed as JSON."""

    seconds: float
    peak_mb: float
    said: dict[str, Any]


def child(name: str, *arguments: str) -> Run:
    """Run ``python -m tests.benchmarks.children <name> <arguments>``; raises where it fails."""
    command = [sys.executable, "-m", "tests.benchmarks.children", name, *arguments]
    environment = os.environ | {
        "DO_NOT_TRACK": "1",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment, text=True) as process:
        watch = _Watch(process.pid)
        watch.start()
        assert process.stdout is not None
        printed = process.stdout.read()
        status = process.wait()
    seconds = time.perf_counter() - start
    watch.ended.set()
    watch.join()
    if status != 0:
        raise RuntimeError(f"{name} ended with {status}")
    return Run(seconds, watch.peak / 1e6, json.loads(printed.strip().splitlines()[-1]) if printed.strip() else {})


class _Watch(threading.Thread):
    """Looks at the memory of a process and its children, again and again until told to end."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.ended = threading.Event()
        self._root = psutil.Process(pid)

    def run(self) -> None:
        while not self.ended.wait(0.05):
            with suppress(psutil.Error):
                self.peak = max(self.peak, sum(map(_bytes, [self._root, *self._root.children(recursive=True)])))


def _bytes(process: psutil.Process) -> int:
    try:
        found = process.memory_full_info()
    except psutil.Error:  # ended meanwhile
        return 0
    return int(getattr(found, "pss", found.rss))


class Server:
    """An embedded server of the benchmark's own, with the settings that the product gives it."""

    def __init__(self, home: Path) -> None:
        self.base = database_url(Settings(home=home, inbox=str(home / "inbox"), archive=str(home / "archive")))
        host = self.base.split("host=", 1)[1]
        self.folder = host

    def fresh(self) -> str:
        """URL of a new empty database."""
        name = f"bench_{next(_numbers)}"
        with psycopg.connect(self.base, autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            connection.execute(f"create database {name} template template0 encoding 'UTF8'")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def settle(self) -> None:
        """Write dirty pages out, so that one measured program does not pay for another's."""
        with psycopg.connect(self.base, autocommit=True) as connection:
            connection.execute("checkpoint")


@contextmanager
def bench() -> Iterator[tuple[Path, Server]]:
    """A scratch folder and a server in it, both gone afterwards."""
    from pipelines.database import stop

    with tempfile.TemporaryDirectory(prefix="lt-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = folder / "server"
        server = Server(home)
        try:
            yield folder, server
        finally:
            stop(Settings(home=home))


def median(runs: Sequence[Run]) -> dict[str, float]:
    """Median seconds with their range, and the highest peak of memory."""
    seconds = [r.seconds for r in runs]
    return {
        "seconds": round(statistics.median(seconds), 2), "least": round(min(seconds), 2), "most": round(max(seconds), 2),
        "peak_mb": round(max(r.peak_mb for r in runs)),
    }  # fmt: skip


def report(title: str, result: dict[str, Any], as_json: bool) -> None:
    """Print a result: JSON on stdout, or ratios first and seconds after."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
        return
    print(f"\n{title}")
    for goal in result["goals"]:
        word = "met   " if goal["met"] else "MISSED"
        print(f"  {word} {goal['what']}: {goal['ratio']} (goal {goal['goal']})")
    for name, figures in result["figures"].items():
        print(f"  {name:<34} {figures}")
    for name, phases in result.get("phases", {}).items():
        print(f"  where the time goes, {name}: {phases}")


def goal(
    what: str, ratio: float, least: float | None = None, most: float | None = None, digits: int = 2
) -> dict[str, Any]:
    """A goal and whether it is met; the figure is a ratio of medians measured side by side, or a share."""
    met = (least is None or ratio >= least) and (most is None or ratio <= most)
    said = f"at most {most}" if most is not None else f"at least {least}"
    return {"what": what, "ratio": round(ratio, digits), "goal": said, "met": met}
