"""The conformance suite of sources on MariaDB and on a second PostgreSQL, as departments have them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa

from assets.intake.sources.trial import try_source
from tests.e2e.flows import World
from tests.e2e.sources.kinds import HEAD, Kind, Sql, declared
from tests.e2e.sources.suite import Suite, villages

POSTGRESQL = Path("/usr/lib/postgresql")
PASSWORD = "m4t-khau-rieng"


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _program(*names: str) -> str:
    found = next((p for n in names if (p := shutil.which(n, path=os.environ["PATH"] + ":/usr/sbin"))), None)
    if found is None:
        pytest.fail(f"{names[0]} is missing: apt-get install --no-install-recommends $(make -s services)")
    return found


@pytest.fixture(scope="session")
def mariadb() -> Iterator[str]:
    """URL (without the password) of a MariaDB of its own."""
    folder = Path(tempfile.mkdtemp(prefix="maria-"))
    server, install = _program("mariadbd"), _program("mariadb-install-db")
    root = ["--user=mysql"] if os.getuid() == 0 else []
    if root:
        shutil.chown(folder, "mysql")
    base = ["--no-defaults", *root, f"--datadir={folder}/data"]
    subprocess.run(
        [install, *base, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
    )
    port = _free()
    started = subprocess.Popen(
        [server, *base, f"--socket={folder}/s", f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={folder}/pid",
         "--character-set-server=utf8mb4"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            try:
                with (
                    pymysql.connect(unix_socket=f"{folder}/s", user="root") as connection,
                    connection.cursor() as cursor,
                ):
                    cursor.execute("create database so character set utf8mb4")
                    cursor.execute(f"create user 'kho'@'127.0.0.1' identified by '{PASSWORD}'")
                    cursor.execute("grant all on so.* to 'kho'@'127.0.0.1'")
                break
            except pymysql.err.OperationalError:
                time.sleep(0.1)
        yield f"mariadb+pymysql://kho@127.0.0.1:{port}/so?charset=utf8mb4"
    finally:
        started.terminate()
        started.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL (without the password) of a PostgreSQL of Debian's."""
    versions = sorted(POSTGRESQL.glob("*/bin/initdb"))
    if not versions:
        pytest.fail("initdb is missing: apt-get install --no-install-recommends $(make -s services)")
    programs, folder, port = versions[-1].parent, Path(tempfile.mkdtemp(prefix="debian-")), _free()
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
        folder.chmod(0o755)
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data = folder / "data"
    subprocess.run(
        [*as_user, programs / "initdb", "-D", data, "-U", "kho", f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8"],
        check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run([*as_user, programs / "pg_ctl", "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start"], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        yield f"postgresql+psycopg://kho@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [*as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, capture_output=True
        )
        shutil.rmtree(folder, ignore_errors=True)


class WithPassword(Sql):
    """The declaration names where the password stands."""

    def source(self, sender: str, dataset: str, *, incremental: bool = False, **more: object):  # type: ignore[no-untyped-def]
        return super().source(sender, dataset, incremental=incremental, password="${env:KHO_PASSWORD}", **more)


@pytest.fixture(params=["mariadb", "postgresql"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kind]:
    monkeypatch.setenv("KHO_PASSWORD", PASSWORD)
    made = WithPassword(request.param, request.getfixturevalue(request.param), PASSWORD)
    made.hold(("nothing",), [])
    yield made
    made.close()


class TestConformance(Suite):
    pass


def test_values_arrive_as_they_are(kind: Sql, world: World) -> None:
    """Leading zeros, null beside empty, decimals, old dates, twelve digits, long text."""
    from datetime import date, datetime
    from decimal import Decimal

    import pyarrow.parquet as pq

    from assets.intake.sources.pull import pull
    from tests.e2e.sources.suite import NOW

    long = "đ" * 5000
    with kind.engine.begin() as connection:
        connection.execute(sa.text("drop table if exists odd"))
        connection.execute(sa.text(
            "create table odd (ma varchar(12) primary key, trong varchar(9), rong varchar(9), so decimal(20,4), ngay date, "
            "luc timestamp(6) null, dai text, dinh_danh bigint)"
        ))  # fmt: skip
        connection.execute(
            sa.text(
                "insert into odd values ('00123', null, '', 12345678901234.5600, '1890-02-03', "
                "'2026-07-01 08:09:10.000012', :l, 56085001234)"
            ),
            {"l": long},
        )
    source = declared(
        "SNV", name="odd", dataset="villages", kind="sql", url=kind.url, password="${env:KHO_PASSWORD}", table="odd"
    )
    with world.pipeline.connection() as connection:
        done = pull(connection, world.pipeline.archive, source, world.pipeline.contracts["villages"], NOW)
    assert done.outcome == "delivered", done
    with world.pipeline.archive.open(world.rows("select sha256 from intake.delivery")[0][0]) as file:
        import io

        row = pq.read_table(io.BytesIO(file.read())).to_pylist()[0]
    assert row == {
        "ma": "00123", "trong": None, "rong": "", "so": Decimal("12345678901234.5600"), "ngay": date(1890, 2, 3),
        "luc": datetime(2026, 7, 1, 8, 9, 10, 12), "dai": long, "dinh_danh": 56085001234,
    }  # fmt: skip


def test_a_trial_says_what_is_wrong(kind: Sql, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = world.pipeline.contracts["villages"]
    sender = world.communes[0]
    kind.hold(HEAD, villages("A"))

    def faults(**more: object) -> list[str]:
        given = {
            "name": "thon",
            "dataset": "villages",
            "kind": "sql",
            "url": kind.url,
            "password": "${env:KHO_PASSWORD}",
            "table": kind.table,
        }
        return [f for f, _ in try_source(declared(sender, **{**given, **more}), contract).faults]

    assert faults() == []
    assert faults(table="none") == ["NO_TABLE"]
    assert faults(order_by=["none"]) == ["NO_COLUMN"]
    assert faults(url=kind.url.replace("127.0.0.1", "127.0.0.1").replace(f":{sa.make_url(kind.url).port}/", ":1/")) == [
        "UNREACHABLE"
    ]
    monkeypatch.setenv("KHO_PASSWORD", "other")
    assert faults() == ["LOGIN_REFUSED"]
    monkeypatch.delenv("KHO_PASSWORD")
    assert faults() == ["NO_SECRET"]
    assert faults(url="oracle://kho@127.0.0.1/x", password=None) == ["NO_DRIVER"]
    assert faults(url="mssql://kho@127.0.0.1/x", password=None) == ["NO_DRIVER"]
