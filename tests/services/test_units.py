"""The units of systemd: systemd itself finds nothing wrong with them, and what they start answers."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import requests

from tests.e2e.flows import World
from tests.pipelines.test_deploy import DEPLOY, ROOT, UNITS, unit


def _here(text: str) -> str:
    """As it is installed here."""
    return text.replace("/opt/lienthong/.venv", sys.prefix).replace("/opt/lienthong", str(ROOT))


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    if (program := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for path in [*UNITS, *DEPLOY.glob("*.timer")]:
        (tmp_path / path.name).write_text(_here(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = _analyze("verify", *map(str, sorted(tmp_path.iterdir())))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    broken = tmp_path / UNITS[0].name
    broken.write_text(broken.read_text(encoding="utf-8").replace("ExecStart=", "ExecStart=/none"), encoding="utf-8")
    assert _analyze("verify", str(broken)).returncode != 0  # it does look
    for path in UNITS:
        done = _analyze("security", "--offline=true", "--threshold=20", str(tmp_path / path.name))
        assert done.returncode == 0, done.stdout[-300:]


def _until(holds: Callable[[], bool], what: str, log: Path) -> None:
    for _ in range(240):
        if holds():
            return
        time.sleep(0.5)
    raise AssertionError(f"{what}: {log.read_text()[-3000:]}")


def test_what_the_units_start_answers(world: World, tmp_path: Path) -> None:
    """Web interface and daemon, with the file for Dagster and its records in PostgreSQL."""
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("create database units_dagster")
        host = connection.info.host
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(DEPLOY / "dagster.yaml", home)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **{n: v for n, v in os.environ.items() if not n.startswith("LIENTHONG_")},
        "LIENTHONG_HOME": str(world.home), "LIENTHONG_DATABASE_URL": world.url, "DAGSTER_HOME": str(home),
        "DAGSTER_STORAGE_URL": f"postgresql+psycopg2://postgres@/units_dagster?host={host}", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    running = []
    log = tmp_path / "log"
    try:
        with log.open("wb") as target:
            for name in ("lienthong-web", "lienthong-daemon"):
                (command,) = unit(DEPLOY / f"{name}.service")["Service"]["ExecStart"]
                arguments = shlex.split(_here(command).replace("-p 3000", f"-p {port}"))
                running.append(
                    subprocess.Popen(
                        arguments, env=environment, cwd=ROOT, stdout=target, stderr=target, start_new_session=True
                    )
                )

        def asked(query: str) -> dict[str, dict[str, object]]:
            try:
                answer = requests.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=30)
                found: dict[str, dict[str, object]] = answer.json()["data"]
            except requests.RequestException:
                return {}
            return found

        jobs = "{repositoriesOrError {... on RepositoryConnection {nodes {jobs {name}}}}}"
        _until(lambda: '"name": "main"' in str(asked(jobs)).replace("'", '"'), "the web interface shows no job", log)
        health = '{instance {daemonHealth {daemonStatus(daemonType: "SCHEDULER") {healthy}}}}'
        _until(lambda: "True" in str(asked(health)), "the daemon is not healthy", log)
        assert all(process.poll() is None for process in running)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
