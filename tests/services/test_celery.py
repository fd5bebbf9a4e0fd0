"""Several machines: a run whose steps are carried out by two Celery workers with folders and homes of their own, over RabbitMQ.

What one step leaves for the next is in PostgreSQL or on the shared stores; a worker that is killed in the middle loses nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv

ROOT = Path(__file__).parents[2]
BOUND = 240


def _until(found: Callable[[], Any], what: str, log: Callable[[], str] = lambda: "") -> Any:
    end = time.monotonic() + BOUND
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.5)
    pytest.fail(f"{what} did not happen within {BOUND} s: {log()[-3000:]}")


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """Address of a RabbitMQ of the test's own."""
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if not program.exists():
        pytest.fail("rabbitmq-server is missing: apt-get install --no-install-recommends $(make -s services)")
    folder, port, name = Path(tempfile.mkdtemp(prefix="rabbit-")), _free(), f"lienthong{os.getpid()}@localhost"
    environment = {
        **os.environ, "HOME": str(folder), "RABBITMQ_NODENAME": name, "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(_free()), "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }  # fmt: skip
    with (folder / "out").open("wb") as out:
        server = subprocess.Popen([program], env=environment, stdout=out, stderr=out, start_new_session=True)

    def up() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    _until(up, "RabbitMQ", lambda: (folder / "out").read_text(errors="replace"))
    yield f"pyamqp://guest:guest@127.0.0.1:{port}//"
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """A world on shared stores, Dagster's storage in PostgreSQL, two workers."""

    def __init__(self, world: World, storage: str, broker: str, folder: Path) -> None:
        self.world, self.folder, self.workers = world, folder, {}  # type: ignore[var-annotated]
        shared = folder / "shared"
        self.common = {
            **{n: v for n, v in os.environ.items() if not n.startswith(("LIENTHONG_", "DAGSTER_"))},
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder / "config")]), "LIENTHONG_EXECUTOR": "celery",
            "LIENTHONG_DATABASE_URL": world.url, "LIENTHONG_INBOX": world.settings.inbox,
            "LIENTHONG_ARCHIVE": world.settings.archive,
            "LIENTHONG_RETURNS": str(shared / "returns"), "LIENTHONG_ANSWERS": str(shared / "answers"),
            "LIENTHONG_KEY_FILE": str(world.home / "keys"), "LIENTHONG_SETTLE_SECONDS": "0", "LIENTHONG_BROKER": broker,
            "LIENTHONG_RESULTS": "rpc://", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        (folder / "config").mkdir()
        (folder / "config" / "dagster_celery_config.py").write_text(
            f"broker_url = {broker!r}\nresult_backend = 'rpc://'\ntask_acks_late = True\ntask_reject_on_worker_lost = True\n"
            "worker_prefetch_multiplier = 1\n"
        )
        self.storage = storage

    def environment(self, name: str) -> dict[str, str]:
        home = self.folder / name
        (home / "dagster").mkdir(parents=True, exist_ok=True)
        (home / "dagster" / "dagster.yaml").write_text(
            f"storage:\n  postgres:\n    postgres_url: {self.storage!r}\ntelemetry:\n  enabled: false\n"
        )
        return {
            **self.common, "HOME": str(home), "LIENTHONG_HOME": str(home / "lienthong"), "DAGSTER_HOME": str(home / "dagster"),
            "PGAPPNAME": name,
        }  # fmt: skip

    def start(self, name: str) -> None:
        environment = self.environment(name)
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "dagster_celery.app",
            "worker",
            "-Q",
            "dagster",
            "-n",
            f"{name}@%h",
            "-c",
            "1",
            "-l",
            "INFO",
        ]
        with (self.folder / f"{name}.log").open("ab") as out:
            self.workers[name] = subprocess.Popen(
                command, env=environment, cwd=environment["HOME"], stdout=out, stderr=out, start_new_session=True
            )

    def log(self) -> str:
        return "".join(p.read_text(errors="replace")[-1500:] for p in self.folder.glob("*.log"))

    def run(self) -> subprocess.Popen[bytes]:
        """The main job, from a third machine that does no step itself."""
        environment = self.environment("caller")
        command = [sys.executable, "-m", "dagster", "job", "execute", "-m", "pipelines.definitions", "-j", "main"]
        with (self.folder / "caller.log").open("ab") as out:
            return subprocess.Popen(
                command, env=environment, cwd=environment["HOME"], stdout=out, stderr=out, start_new_session=True
            )

    def ran(self) -> None:
        """Run to the end, well."""
        if self.run().wait(BOUND):
            pytest.fail(self.log())

    def kill(self, name: str) -> None:
        os.killpg(self.workers.pop(name).pid, signal.SIGKILL)

    def hosts(self) -> set[str]:
        """Which workers have received steps."""
        logs = {p.stem: p.read_text(errors="replace") for p in self.folder.glob("w*.log")}
        return {name for name, text in logs.items() if "Task execute_plan" in text}

    def busy(self) -> str:
        """The worker that has a step which has not ended."""
        for name in self.workers:
            text = (self.folder / f"{name}.log").read_text(errors="replace")
            if text.count("Task execute_plan") - text.count(" received") < text.count(" received"):
                return name
        raise AssertionError(self.log())

    def close(self) -> None:
        for name in list(self.workers):
            self.kill(name)


@pytest.fixture
def cluster(make_world: Make, server_url: str, broker: str, tmp_path: Path) -> Iterator[Cluster]:
    world, name = make_world(), f"dagster_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        storage = f"postgresql+psycopg2://postgres@/{name}?host={connection.info.host}"
    made = Cluster(world, storage, broker, tmp_path)
    for worker in ("w1", "w2"):
        made.start(worker)
    _until(lambda: made.log().count("ready.") == 2, "two workers", made.log)
    yield made
    made.close()


def drop(world: World, period: str, households: int) -> None:
    for commune in world.communes[:3]:
        world.drop(
            commune,
            text_csv([HEAD, *((f"Thôn {n}", "Thôn", households + n, 300) for n in range(4))]),
            "a.csv",
            period=period,
        )


def seen(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "select village_name, commune_code, households, valid_from, valid_to from mart_v1.villages_history order by 1, 2, 4"
    )


def test_two_workers_do_what_one_process_does_and_one_that_is_killed_loses_nothing(
    cluster: Cluster, make_world: Make
) -> None:
    world, alone = cluster.world, make_world()
    for one in (world, alone):
        drop(one, "2026-Q1", 70)
    alone.run()
    cluster.ran()
    assert seen(world) == seen(alone) != []
    assert world.rows("select distinct state, announced_state from intake.submission") == [("accepted", "accepted")]
    assert len(list((cluster.folder / "shared" / "answers").rglob("*.json"))) == 3
    assert len(list((cluster.folder / "shared" / "returns").rglob("*.xlsx"))) == 3

    for one in (world, alone):
        drop(one, "2026-Q2", 90)
    alone.run()
    before = seen(world)
    with world.connection() as connection:
        connection.execute(
            "create function public.wait() returns trigger language plpgsql "
            "as $$ begin perform pg_sleep(60); return null; end $$"
        )
        connection.execute(
            "create trigger wait before insert on staging.villages for each statement execute function public.wait()"
        )
    run = cluster.run()
    asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    _until(lambda: world.rows(asleep)[0][0], "the step", cluster.log)
    worker = cluster.busy()
    cluster.kill(worker)
    with world.connection() as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
        connection.execute("drop trigger wait on staging.villages")
    assert seen(world) == before
    run.wait(BOUND)  # the other worker is given the step, or the run fails: both are ends
    cluster.start(worker)
    cluster.ran()
    assert seen(world) == seen(alone) != before
    assert world.rows("select count(*), count(distinct submission_id) from intake.submission") == [(6, 6)]
    assert cluster.hosts() == {"w1", "w2"}
