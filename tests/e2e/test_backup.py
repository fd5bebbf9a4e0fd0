"""Backup and restore, rehearsed: what comes back is what there was, elsewhere; what is not whole is not taken for a backup."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from assets.core.person import erase, find
from assets.core.trace import trace
from pipelines import backup as made
from pipelines.backup import BackupFailed, backup, backups, restore, verify
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv
from tests.e2e.sources.stores import S3, stores_file

STAFF = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")

PERSON = ("056085001234", "Nguyễn Văn An", "01/02/1985", "Nam", "Kế toán", "Văn phòng")


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:
    """Villages of two communes with a correction, an officer, a held list and something that waits to be read."""
    world = make_world()
    a, b = world.communes[:2]
    world.drop(
        a,
        text_csv([HEAD, *((f"Thôn {chr(65 + n)}", "Thôn", 70 + n, 300) for n in range(10))]),
        "a.csv",
        period="2026-Q1",
    )
    world.drop(b, text_csv([HEAD, ("Thôn X", "Thôn", "nhiều", 300), ("Thôn Y", "Thôn", 80, 310)]), "b.csv")
    world.drop(a, text_csv([STAFF, PERSON]), "c.csv")
    world.run()
    world.drop(a, text_csv([HEAD, ("Thôn A", "Thôn", 70, 300)]), "d.csv")
    world.run()
    return world


@pytest.fixture
def empty(server_url: str) -> Callable[[], str]:
    """URLs of empty databases."""
    numbers = iter(range(100))

    def make() -> str:
        name = f"restored_{os.getpid()}_{next(numbers)}"
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name))
            )
            return f"postgresql://postgres@/{name}?host={connection.info.host}"

    return make


def seen(url: str) -> dict[str, Any]:
    """Every relation of the database, by a hash of its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        names = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'v') and n.nspname in ('intake', 'staging', 'vault', 'core', 'mart_v1', 'ops') order by 1"
        ).fetchall()
        return {
            name: connection.execute(
                f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {name} t"
            ).fetchone()
            for (name,) in names
            if name not in ("ops.backup", "core.feed", "mart_v1.feed_position")
        }


def with_database(world: World, url: str, home: Path) -> World:
    shutil.copy(world.home / "keys", home / "keys")
    return World(url, home)


def test_everything_comes_back_elsewhere(world: World, empty: Callable[[], str], tmp_path: Path) -> None:
    before = seen(world.url)
    done = backup(world.settings, world.url, world.settings.archive, str(tmp_path / "to"))
    assert done.objects == 4 and done.copied == 4 and backups(str(tmp_path / "to")) == [done.name]
    assert world.rows("select name, manifest, objects from ops.backup") == [(done.name, done.manifest, 4)]
    # nothing clear lies there: neither a name nor a number of a person, nor the key
    held = b"".join(p.read_bytes() for p in (tmp_path / "to").rglob("*") if p.is_file())
    key = (world.home / "keys").read_text().split()[1].encode()
    assert "Nguyễn".encode() not in held and b"056085001234" not in held and key not in held

    home = tmp_path / "elsewhere"
    home.mkdir()
    url = empty()
    other = with_database(world, url, home)
    restored = restore(other.settings, url, other.settings.archive, str(tmp_path / "to"))
    assert restored.publish == done.publish and seen(url) == before
    # down to the cell, and on to the next run
    with other.pipeline.connection() as connection:
        found = connection.execute("select village_id from mart_v1.villages_history where village_name = 'Thôn B'")
        entity = found.fetchone()
        assert entity is not None
        version = trace(connection, other.pipeline.contracts["villages"], entity[0])[0]
        assert "B" in str(version)
    assert other.run().published is None
    other.drop(
        world.communes[2], text_csv([HEAD, ("Thôn Z", "Thôn", 70, 300)]), "z.csv", at=datetime(2026, 7, 9, tzinfo=UTC)
    )
    assert (other.run().published or 0) > done.publish
    for name in other.rows("select sha256 from intake.delivery"):
        with other.pipeline.archive.open(name[0]) as file:
            assert file.read()


def test_again_takes_only_what_is_new(world: World, tmp_path: Path) -> None:
    to = str(tmp_path / "to")
    first = backup(world.settings, world.url, world.settings.archive, to, now=datetime(2026, 7, 1, tzinfo=UTC))
    second = backup(world.settings, world.url, world.settings.archive, to, now=datetime(2026, 7, 2, tzinfo=UTC))
    assert (first.copied, second.copied) == (4, 0) and backups(to) == [first.name, second.name]
    assert verify(world.settings, to).name == second.name and verify(world.settings, to, first.name).name == first.name
    without = backup(world.settings, world.url, world.settings.archive, to, with_archive=False)
    assert without.objects is None and verify(world.settings, to).objects is None


def test_what_is_damaged_is_refused_and_nothing_is_touched(
    world: World, empty: Callable[[], str], tmp_path: Path
) -> None:
    to = tmp_path / "to"
    done = backup(world.settings, world.url, world.settings.archive, str(to))
    url = empty()
    dump, manifest = to / done.name / "database.sealed", to / done.name / "manifest.json"
    object_ = next(p for p in (to / "objects").rglob("*") if p.is_file())
    for path, damage, said in (
        (dump, lambda d: d[:-100] + bytes([d[-100] ^ 1]) + d[-99:], "the dump of .* is damaged"),
        (dump, lambda d: d[: len(d) // 2], "the dump of .* is damaged"),
        (dump, lambda d: b"", "the dump of .* is damaged"),
        (object_, lambda d: d[:-1], "the object [0-9a-f]{64} is missing or cut off"),
        (manifest, lambda d: d[:-10], "the manifest of .* is damaged"),
        (manifest, lambda d: json.dumps({**json.loads(d), "form": 9}).encode(), "has the form 9"),
        (
            manifest,
            lambda d: json.dumps({**json.loads(d), "key_fingerprint": "0" * 16}).encode(),
            "the key file is not the one",
        ),
    ):
        whole = path.read_bytes()
        path.write_bytes(damage(whole))
        with pytest.raises(BackupFailed, match=said):
            restore(world.settings, url, str(tmp_path / "archive"), str(to))
        path.write_bytes(whole)
    assert seen(url) == {} and not (tmp_path / "archive").exists()
    with pytest.raises(BackupFailed, match="the database is not empty"):
        restore(world.settings, world.url, world.settings.archive, str(to))
    with pytest.raises(BackupFailed, match="there is no whole backup 2020 there; there are: "):
        restore(world.settings, url, world.settings.archive, str(to), "2020")
    with pytest.raises(BackupFailed, match="there is no whole backup there; there are: none"):
        restore(world.settings, url, world.settings.archive, str(tmp_path / "none"))


def test_killed_in_the_middle_it_is_no_backup(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*given: Any, **more: Any) -> Any:
        raise Killed

    to = str(tmp_path / "to")
    for name in ("_sealed", "_objects", "_whole"):
        with monkeypatch.context() as patched:
            patched.setattr(made, name, killed)
            with pytest.raises(Killed):
                backup(world.settings, world.url, world.settings.archive, to)
        assert backups(to) == []
        with pytest.raises(BackupFailed, match="no whole backup"):
            verify(world.settings, to)
    assert backups(to) == [] and backup(world.settings, world.url, world.settings.archive, to).name == backups(to)[0]


def test_who_was_erased_stays_erased(world: World, make_world: Make, empty: Callable[[], str], tmp_path: Path) -> None:
    """What a later backup holds of a person who was erased before it: nothing, and the key of the bytes is gone with it."""
    own = make_world()
    own.drop(own.communes[0], text_csv([STAFF, PERSON]), "c.csv")
    own.run()
    pipeline = own.pipeline
    with pipeline.connection() as connection:
        (person,) = find(connection, pipeline.contracts, pipeline.vault, "056085001234", reason="yêu cầu 12", by="x")
        entity = person["entity_id"]
        erase(connection, pipeline.archive, pipeline.contracts, entity, reason="yêu cầu 12", by="x")
    own.run()
    to, url, home = str(tmp_path / "to"), empty(), tmp_path / "h"
    home.mkdir()
    backup(own.settings, own.url, own.settings.archive, to)
    other = with_database(own, url, home)
    restore(other.settings, url, other.settings.archive, to)
    assert other.rows("select count(*) from ops.erasure") == [(1,)]
    assert other.rows("select value from vault.identifier where value is not null") == []


def test_on_a_store_elsewhere(
    world: World, empty: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3()
    try:
        for name, value in stores_file(tmp_path / "stores.yaml", "s3://", store.options).items():
            monkeypatch.setenv(name, value)
        done = backup(world.settings, world.url, world.settings.archive, "s3://kho/sao-luu")
        url, home = empty(), tmp_path / "h"
        home.mkdir()
        other = with_database(world, url, home)
        assert restore(other.settings, url, other.settings.archive, "s3://kho/sao-luu").name == done.name
        assert seen(url) == seen(world.url)
    finally:
        store.close()
