"""What may go after its time goes, from Dagster's own storage on the disk, and the board stays as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from typer.testing import CliRunner

from assets.intake.archive import Archive
from pipelines.cli import app
from pipelines.dagster_home import opened_instance
from pipelines.retention import Found, clear, plan
from pipelines.retention_job import RETENTION

from .conftest import QUIET, House

ROW = "22333,Thôn Một,Thôn,10,40"
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=100)


@pytest.fixture
def kept(house: House) -> Iterator[House]:
    """The installation with Dagster's storage as it is on a disk."""
    with opened_instance(house.settings) as instance:
        yield House(house.settings, instance)


def partial(house: House, age: timedelta, size: int = 5000) -> Path:
    """A file as a crash leaves it in the archive."""
    path = Path(house.settings.archive) / f".partial-{age.days}-{size}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    then = (NOW - age).timestamp()
    os.utime(path, (then, then))
    return path


def shards(house: House) -> set[str]:
    """Runs whose log has a file; beside those lie the index of all, and what was told without a run."""
    return {p.stem for p in (house.settings.home / "dagster" / "events").glob("?*.db")} - {"index"}


def test_old_runs_go_with_their_files_and_the_board_stays(kept: House) -> None:
    kept.send("22333", ROW, ROW)
    first = kept.run()
    board, verdicts, events = kept.board(), kept.verdicts(), kept.events()
    assert board == {"2026-Q1|22333"} and verdicts
    second = kept.run()
    assert shards(kept) == {first.run_id, second.run_id}

    assert plan(kept.instance, kept.pipeline.archive, NOW) == Found(0, 0, 0, 0, 0)
    assert plan(kept.instance, kept.pipeline.archive, LATER) == Found(1, 1, 0, 0, 0)
    assert {r.run_id for r in kept.instance.get_runs()} == {first.run_id, second.run_id}  # a plan changes nothing
    assert clear(kept.instance, kept.pipeline.archive, LATER) == Found(1, 1, 0, 0, 0)
    assert [r.run_id for r in kept.instance.get_runs()] == [second.run_id]
    assert shards(kept) == {second.run_id}
    # the verdict was told by the first run, and holds still
    assert (kept.board(), kept.verdicts(), kept.events()) == (board, verdicts, events)
    assert clear(kept.instance, kept.pipeline.archive, LATER) == Found(0, 1, 0, 0, 0)

    # what was delivered is where it was
    for (sha256,) in kept.sql("select sha256 from intake.delivery"):
        assert kept.pipeline.archive.read(sha256)


def test_a_run_that_has_not_ended_stays_however_old(kept: House) -> None:
    job = kept.graph.resolve_job_def(RETENTION)
    for status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.CANCELED):
        kept.instance.create_run_for_job(job, status=status)
    assert clear(kept.instance, kept.pipeline.archive, LATER).runs == 1
    assert {r.status.name for r in kept.instance.get_runs()} == {"STARTED", "NOT_STARTED"}


def test_ticks_go_by_their_age(kept: House) -> None:
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="pipelines.definitions"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), "inbox_sensor")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    kept.instance.add_instigator_state(state)
    for age in (1, 80, 95, 200):
        kept.instance.create_tick(
            TickData(
                state.instigator_origin_id, "inbox_sensor", InstigatorType.SENSOR, TickStatus.SKIPPED,
                (LATER - timedelta(days=age)).timestamp(), selector_id=state.selector_id,
            )
        )  # fmt: skip
    assert plan(kept.instance, kept.pipeline.archive, LATER).ticks == 2
    assert clear(kept.instance, kept.pipeline.archive, LATER, days=90).ticks == 2
    left = kept.instance.get_ticks(state.instigator_origin_id, state.selector_id)
    assert sorted(round((LATER.timestamp() - t.timestamp) / 86400) for t in left) == [1, 80]


def test_only_what_a_crash_left_goes_from_the_archive(kept: House) -> None:
    kept.send("22333", ROW)
    kept.pipeline.run()
    old, young = partial(kept, timedelta(days=2)), partial(kept, timedelta(hours=23), 7)
    objects = {p for p in Path(kept.settings.archive).rglob("*") if p.is_file()} - {old, young}
    for path in objects:
        os.utime(path, (0, 0))
    assert plan(kept.instance, kept.pipeline.archive, NOW) == Found(0, 0, 0, 1, 5000)
    assert clear(kept.instance, kept.pipeline.archive, NOW) == Found(0, 0, 0, 1, 5000)
    assert {p for p in Path(kept.settings.archive).rglob("*") if p.is_file()} == objects | {young}
    archive = Archive(kept.settings.archive)
    with pytest.raises(ValueError, match="no name yet"):
        archive.drop(str(next(iter(objects))))
    assert not archive.drop(str(old))


def test_nobody_removes_what_a_fault_is_looked_for_in(kept: House) -> None:
    with pytest.raises(ValueError, match="7 days at least"):
        clear(kept.instance, kept.pipeline.archive, LATER, days=6)
    assert CliRunner().invoke(app, ["retention", "run", "--days", "6"]).exit_code == 2


def test_the_command_plans_first(kept: House) -> None:
    path = partial(kept, timedelta(days=2))
    environment = {
        "COLUMNS": "200", "LIENTHONG_HOME": str(kept.settings.home), "LIENTHONG_DATABASE_URL": kept.settings.database_url,
        "LIENTHONG_ARCHIVE": kept.settings.archive,
    }  # fmt: skip
    said = CliRunner().invoke(app, ["retention", "plan"], env=environment)
    assert said.exit_code == 0 and path.exists()
    assert "Would remove: 0 runs and 0 ticks of Dagster older than 90 days, 1 unnamed file (4 KiB)" in said.stdout
    assert "retention run --days 90 --months 24" in said.stdout
    done = CliRunner().invoke(app, ["retention", "run", "--days", "30", "--json"], env=environment)
    assert done.exit_code == 0 and not path.exists()
    assert json.loads(done.stdout) == {
        "days": 30, "months": 24, "removed": True, "runs": 0, "runs_kept": 0, "ticks": 0, "partials": 1, "partial_bytes": 5000,
        "feed_changes": 0, "raw": {"deliveries": 0, "objects": 0, "bytes": 0, "kept": 0},
    }  # fmt: skip


def test_the_job_does_the_same(kept: House) -> None:
    path = partial(kept, timedelta(days=2))
    done = kept.graph.resolve_job_def(RETENTION).execute_in_process(run_config=QUIET, instance=kept.instance)
    assert done.success and not path.exists()
    assert [r.run_id for r in kept.instance.get_runs()] == [done.run_id]
