"""The engine's process: beside the caller's, lost and found again, and outliving nobody."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import polars as pl
import psutil
import pytest

from expectations import run, worker
from expectations.engine import Asked
from expectations.worker import STOPPED, EngineLost, Worker
from tests.expectations.test_run import BETWEEN, CONTRACT, check, frame

BATCH = pl.DataFrame({"_id": [7, 8, 9], "i": [1, -1, None]})
ASKED = [Asked("least", BETWEEN, {"column": "i", "min_value": 0})]


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def engine() -> Worker:
    started = run._started()
    assert isinstance(started, Worker)
    return started


def _answer(engine: Worker) -> list[int]:
    answer = engine.run(BATCH, ASKED)["least"]
    assert not isinstance(answer, str)
    return list(answer)


def test_the_library_is_loaded_beside_and_not_here(engine: Worker) -> None:
    assert _answer(engine) == [8]
    code = (
        "import sys; from expectations.run import validate; from tests.expectations.test_run import *\n"
        "found = validate(frame([{'i': -1}]), CONTRACT, [check(BETWEEN, 'i', min_value=0)])\n"
        "assert found.failures.height == 1\n"
        "assert not {'great_expectations', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_here_and_beside_it_answers_the_same(engine: Worker) -> None:
    checks = [check(BETWEEN, "i", min_value=0), check(BETWEEN, "m", max_value=1)]
    rows = frame([{"i": n % 5 - 1, "s": "a", "_sub": 1 + n % 3} for n in range(40)])
    code = (
        "import pickle, sys, great_expectations\nfrom expectations import run\n"
        "asked = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(pickle.dumps(run.validate(*asked)))\n"
        "assert type(run._engine).__name__ == 'Engine'"
    )
    asked = pickle.dumps((rows, CONTRACT, checks))
    here = pickle.loads(
        subprocess.run([sys.executable, "-c", code], input=asked, capture_output=True, check=True).stdout
    )
    beside = run.validate(rows, CONTRACT, checks)
    assert here.results.equals(beside.results)
    assert here.failures.sort("_id", "check").equals(beside.failures.sort("_id", "check"))


def test_a_process_that_dies_is_started_anew(engine: Worker) -> None:
    before = engine._process
    assert before is not None
    before.kill()
    before.wait()
    assert _answer(engine) == [8]
    assert engine._process is not before


def test_a_batch_that_kills_it_twice_could_not_be_judged(engine: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.pickle, "dump", lambda *_: os.kill(engine._process.pid, signal.SIGKILL))  # type: ignore[union-attr]
    assert engine.run(BATCH, ASKED) == {"least": STOPPED}
    outcome = run.validate(frame([{"i": 1}]), CONTRACT, [check(BETWEEN, "i", min_value=0)])
    assert outcome.results["status"].to_list() == ["could_not_run"]
    assert list(outcome.reasons.values()) == [STOPPED]
    monkeypatch.undo()
    assert _answer(engine) == [8]


def test_an_interrupt_leaves_no_answer_behind(engine: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody took would be taken for that to the next question."""
    load = pickle.load

    def interrupted(stream: object) -> object:
        monkeypatch.setattr(worker.pickle, "load", load)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker.pickle, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.run(BATCH, ASKED)
    assert list(engine.run(BATCH.with_columns(i=pl.lit(-5)), ASKED)["least"]) == [7, 8, 9]


def test_a_library_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]) -> None:
    broken = os.path.join(tmp_path, "great_expectations.py")
    with open(broken, "w") as file:
        file.write("raise ImportError('a secret')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(EngineLost, match=r"^Great Expectations cannot be imported \(ImportError\)$"):
        Worker().run(BATCH, ASKED)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineLost, match="cannot be started"):
        Worker().run(BATCH, ASKED)


@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), signal.SIGKILL)"], ids=["ended", "killed"])
def test_it_outlives_nobody(end: str) -> None:
    code = (
        "import os, signal, polars as pl; from tests.expectations.test_worker import *\n"
        "engine = Worker(); engine.run(BATCH, ASKED); print(engine._process.pid, flush=True)\n" + end
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid = int(said.stdout)
    _until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_fork_has_an_engine_of_its_own(engine: Worker) -> None:
    child = os.fork()
    if child == 0:  # where Polars would hang
        other = run._started()
        other.stop()  # type: ignore[union-attr]
        os._exit(0 if other is not engine else 1)
    assert _answer(engine) == [8]
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert _answer(engine) == [8]
