"""The vault's keys: replaced without anything being lost, wherever that is stopped; and nothing written without them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import psycopg
import pytest

import assets.intake.keys as keys_module
import assets.staging.vault as vault_module
from assets.intake.keys import KeysLost, read
from assets.staging.vault import Vault
from pipelines.cli_errors import explain
from pipelines.flow import Pipeline
from pipelines.settings import Settings
from tests.e2e.flows import HEAD, World, text_csv, villages
from tests.faults.driver import _start

NUMBERS = ["056085001234", "058190004321", "225123456"]
STEPS = [
    "before the file",
    "after the file",
    "half-way",
    "before the commit",
    "after the commit",
    "after the last file",
]


def vault_of(world: World) -> Vault:
    return Vault(lambda: psycopg.connect(world.url, autocommit=True), world.home / "keys")


@pytest.fixture
def kept(world: World) -> World:
    """The world, with an archived file and three identifiers."""
    world.drop(world.communes[0], villages(("Suối Cát", 3, 9)))
    world.run()
    with closing(vault_of(world)) as vault:
        vault.subjects(pl.Series(NUMBERS))
    return world


def sound(world: World, subjects: dict[str, int]) -> None:
    """Identifiers are found under their subjects, objects are read, and all is under one version, the only one in the file."""
    with closing(vault_of(world)) as vault:
        assert vault.find(NUMBERS) == subjects
        vault.seal({})
        assert len(vault.status()["versions"]) >= 1
    ((sha256,),) = world.rows("select sha256 from intake.delivery")
    assert world.archived_bytes(sha256)
    versions = world.rows(
        "select key_version from vault.identifier union select key_version from vault.object_key where wrapped is not null"
    )
    assert versions == world.rows("select version from vault.key where retired_at is null")


def subjects(world: World) -> dict[str, int]:
    with closing(vault_of(world)) as vault:
        return vault.find(NUMBERS)


def test_a_rotation_puts_everything_under_a_new_key_and_forgets_the_old(kept: World) -> None:
    before, old = subjects(kept), read(kept.home / "keys")
    lookups = kept.rows("select lookup from vault.identifier order by subject")
    with closing(vault_of(kept)) as vault:
        assert vault.rotate() == old.current + 1
        assert vault.find(NUMBERS) == before
    new = read(kept.home / "keys")
    assert set(new.masters) == {old.current + 1} and new.masters[new.current] not in old.masters.values()
    assert not set(lookups) & set(kept.rows("select lookup from vault.identifier"))
    assert (kept.home / "keys").stat().st_mode & 0o777 == 0o600
    sound(kept, before)
    # what the next run writes is under the new key
    kept.drop(kept.communes[1], villages(("Suối Dầu", 3, 9)))
    kept.run()
    with closing(vault_of(kept)) as vault:
        vault.rotate()
    assert len(kept.rows("select version from vault.key")) == 3


def _rotate(settings: Settings, step: str, act: Callable[[], None]) -> None:
    files = commits = batches = 0
    write, renew, leave = vault_module.write, vault_module._batches, psycopg.Transaction.__exit__

    def watched_write(path: Path, keys: Any) -> None:
        nonlocal files
        files += 1
        if (step, files) == ("before the file", 1):
            act()
        write(path, keys)
        if (step, files) in (("after the file", 1), ("after the last file", 2)):
            act()

    def watched_batches(*args: Any) -> Any:
        nonlocal batches
        batches += 1
        if (step, batches) == ("half-way", 2):
            act()
        return renew(*args)

    def watched_exit(*args: Any) -> Any:
        nonlocal commits
        commits += files == 1
        if (step, commits) == ("before the commit", 1):
            act()
        done = leave(*args)
        if (step, commits) == ("after the commit", 1):
            act()
        return done

    vault_module.write, vault_module._batches = watched_write, watched_batches  # type: ignore[assignment]
    psycopg.Transaction.__exit__ = watched_exit  # type: ignore[method-assign]
    try:
        Pipeline(settings).vault.rotate()
    finally:
        vault_module.write, vault_module._batches = write, renew
        psycopg.Transaction.__exit__ = leave  # type: ignore[method-assign]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_rotation(settings: Settings, step: str) -> None:
    _rotate(settings, step, _die)


@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_that_is_killed(step: str, kept: World) -> None:
    before = subjects(kept)
    process = _start(_killed_rotation, kept.settings, step)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    sound(kept, before)
    kept.drop(kept.communes[1], villages(("Suối Dầu", 3, 9)))
    kept.run()
    with closing(vault_of(kept)) as vault:
        version = vault.rotate()
    assert list(read(kept.home / "keys").masters) == [version]
    with closing(vault_of(kept)) as vault:
        assert vault.find(NUMBERS) == before
    kept.drop(kept.communes[2], villages(("Suối Dầu", 3, 9)))
    kept.run()


def test_two_rotations_and_a_writer_at_once(kept: World) -> None:
    before = subjects(kept)
    failed: list[BaseException] = []

    def guarded(work: Callable[[Vault], Any]) -> Thread:
        def run() -> None:
            try:
                with closing(vault_of(kept)) as vault:
                    for n in range(6):
                        work(vault, n)  # type: ignore[call-arg]
            except BaseException as error:
                failed.append(error)

        return Thread(target=run)

    threads = [guarded(lambda vault, n: vault.rotate()) for _ in range(2)]  # type: ignore[misc]
    threads += [
        guarded(lambda vault, n, k=k: vault.subjects(pl.Series([f"05608500{k}{n:03d}"])))  # type: ignore[misc]
        for k in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    kept.run()
    sound(kept, before)
    assert kept.rows("select count(*) from vault.identifier") == [(15,)]
    assert kept.rows("select count(*) from vault.key") == [(13,)]


def test_the_first_use_by_many_at_once(world: World) -> None:
    world.execute("delete from vault.object_key")
    world.execute("delete from vault.key")
    (world.home / "keys").unlink(missing_ok=True)
    found: list[Any] = []

    def work() -> None:
        try:
            with closing(vault_of(world)) as vault:
                found.append(vault.subjects(pl.Series(NUMBERS)).to_list())
        except BaseException as error:
            found.append(error)

    threads = [Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(f == found[0] for f in found), found


@pytest.mark.parametrize("fault", ["missing", "another's", "damaged", "older"])
def test_without_the_right_key_nothing_is_written(fault: str, kept: World) -> None:
    path = kept.home / "keys"
    right = path.read_bytes()
    if fault == "missing":
        path.unlink()
    elif fault == "damaged":
        path.write_text("1 abc\n")
    elif fault == "another's":
        path.write_text("1 " + "A" * 43 + "=\n")
    else:
        with closing(vault_of(kept)) as vault:
            vault.rotate()
        right, _ = path.read_bytes(), path.write_bytes(right)
    left = path.read_bytes() if path.exists() else None
    kept.drop(kept.communes[1], text_csv([HEAD, ("Suối Dầu", "Thôn", 3, 9)]), "thon.csv")
    counts, archived = kept.counts(), kept.archived()
    for work in (kept.run, lambda: vault_of(kept).rotate(), lambda: vault_of(kept).status()):
        with pytest.raises(KeysLost) as lost:
            work()
        (said,) = explain(lost.value)
        assert "restore" in said and "keys" in said
    assert kept.counts() == counts and kept.archived() == archived
    assert (path.read_bytes() if path.exists() else None) == left
    path.write_bytes(right)
    kept.run()
    assert len(kept.open_villages(kept.communes[1])) == 1


def test_objects_of_a_run_cost_few_commits_and_say_their_content(world: World) -> None:
    for n, sender in enumerate(world.communes[:40]):
        world.drop(sender, villages((f"Thôn {n}", 3, 9)))
    world.run()
    ((known, keys, blocks),) = world.rows(
        "select count(sha256), count(*), count(distinct xmin::text) from vault.object_key k"
    )
    assert known == 40 and keys == 63 and blocks <= 12
    assert world.rows("select sha256 from vault.object_key where sha256 is not null order by 1") == world.rows(
        "select sha256 from intake.delivery order by 1"
    )


def test_a_rotation_that_ends_while_the_file_is_opened(kept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before, known = subjects(kept), keys_module._known

    def rotated_meanwhile(connection: psycopg.Connection) -> dict[int, str]:
        found = known(connection)
        monkeypatch.setattr(keys_module, "_known", known)
        with closing(vault_of(kept)) as other:
            other.rotate()
        return found

    monkeypatch.setattr(keys_module, "_known", rotated_meanwhile)
    assert subjects(kept) == before
    sound(kept, before)
