"""A disk that is full: of the archive, and of the database. What was there stays; with room again the next run completes it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from assets.marts.exports.export import Personal, export
from assets.marts.exports.views import ExportRefused
from pipelines.cli_errors import explain
from tests.e2e.flows import HEAD, World, text_csv
from tests.faults.test_server_stopped import first, second, seen


def _mounted(path: Path, size: str, owner: int | None = None) -> None:
    options = f"size={size}" + (f",uid={owner},mode=700" if owner is not None else "")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root and the right to mount")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 KiB."""
    path = tmp_path / "small"
    path.mkdir()
    _mounted(path, "300k")
    yield path
    subprocess.run(["umount", path], check=True)


def test_the_disk_of_an_export_is_full(small: Path, database_url: str, tmp_path: Path) -> None:
    world = World(database_url, tmp_path / "home")
    first(world)
    world.run()
    pipeline = world.pipeline

    def exported(*names: str) -> None:
        with world.connection() as connection:
            export(connection, pipeline.contracts, pipeline.indicators, names, small / "out", "csv")

    exported("villages")
    before = {p.name: p.read_bytes() for p in (small / "out").iterdir()}
    world.execute(
        "create view mart_v1.large as select n, md5(n::text) as text from generate_series(1, 200000) n; "
        "grant select on mart_v1.large to lienthong_app"
    )
    who = Personal("thử", "test")
    with world.connection() as connection, pytest.raises(ExportRefused, match="no room for the export") as full:
        export(connection, {}, {}, ["villages", "large"], small / "out", "csv", personal=who)
    assert explain(full.value) == [str(full.value)]
    assert {p.name: p.read_bytes() for p in (small / "out").iterdir()} == before
    exported("villages", "villages_history")
    assert {p.name for p in (small / "out").iterdir()} == {"export.json", "villages.csv", "villages_history.csv"}


def test_the_archives_disk_is_full(small: Path, database_url: str, tmp_path: Path) -> None:
    world = World(database_url, tmp_path / "home", archive=str(small / "archive"))
    first(world)
    world.run()
    before = seen(world)
    second(world)
    rest = shutil.disk_usage(small).free
    (small / "filler").write_bytes(bytes(rest - 8192))
    rows = [(f"Thôn {n} {os.urandom(40).hex()}", "Thôn", 70, 300) for n in range(300)]
    world.drop(world.communes[9], text_csv([HEAD, *rows]), "lon.csv", period="2026-Q2")
    with pytest.raises(OSError, match="No space left") as full:
        world.pipeline.run()
    assert full.value.errno == errno.ENOSPC and "No space left" in explain(full.value)[0]
    assert seen(world) == before
    # what was written down has its bytes
    for (sha256,) in world.rows("select sha256 from intake.delivery"):
        with world.pipeline.archive.open(sha256) as file:
            assert file.read()
    (small / "filler").unlink()
    world.run()
    assert world.rows("select count(*) from intake.submission where state = 'accepted'") == [(7,)]
    assert seen(world) != before and world.run().published is None


@pytest.fixture
def cramped(server_url: str, tmp_path: Path) -> Iterator[World]:
    """A world whose database lies on a disk of 60 MiB."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        row = admin.execute("select current_setting('data_directory')").fetchone()
        assert row is not None
        owner = Path(row[0]).stat().st_uid
        folder = Path(tempfile.mkdtemp(prefix="cramped-"))
        folder.chmod(0o755)
        disk = folder / "disk"
        disk.mkdir()
        _mounted(disk, "60m", owner)
        admin.execute(sql.SQL("create tablespace cramped location {}").format(sql.Literal(str(disk))))
        admin.execute(
            "create database cramped template template0 encoding 'UTF8' tablespace cramped strategy file_copy"
        )
        host = quote(admin.info.host, safe="/")
        yield World(f"postgresql://postgres@/cramped?host={host}", tmp_path / "home")
        admin.execute("drop database cramped with (force)")
        admin.execute("checkpoint")  # files that are gone are let go of
        admin.execute("drop tablespace cramped")
    subprocess.run(["umount", disk], check=True)
    shutil.rmtree(folder)


def test_the_databases_disk_is_full(cramped: World) -> None:
    world = cramped
    first(world)
    world.run()
    before = seen(world)
    second(world)
    with world.connection() as connection:
        connection.execute("create table public.filler (t text)")
        with suppress(psycopg.errors.DiskFull):
            for _ in range(10_000):
                connection.execute(
                    "insert into public.filler select repeat(md5(random()::text), 30) from generate_series(1, 500)"
                )
    with pytest.raises(psycopg.Error) as full:
        world.pipeline.run()
    assert full.value.sqlstate == "53100"
    (said,) = explain(full.value)
    assert "the disk of the database is full" in said and "Thôn" not in said
    with world.connection() as connection:
        connection.execute("drop table public.filler")
    assert seen(world) == before
    world.run()
    assert world.rows("select count(*) from intake.submission where state = 'accepted'") == [(6,)]
    assert seen(world) != before and world.run().published is None
