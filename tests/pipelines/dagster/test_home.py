"""Dagster's home and the way into its web interface."""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._daemon.monitoring.run_monitoring import monitor_started_run
from dagster._utils.tags import TagConcurrencyLimitsCounter

from pipelines.dagster_home import dagster_home, opened_instance, ui_command
from pipelines.graph import definitions
from pipelines.retention_job import retention_job
from pipelines.settings import Settings


def test_the_home_is_written_once_and_then_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    folder = dagster_home(settings)
    assert folder == tmp_path / "home" / "dagster"
    mine = (folder / "dagster.yaml").read_text(encoding="utf-8") + "code_servers:\n  local_startup_timeout: 300\n"
    (folder / "dagster.yaml").write_text(mine, encoding="utf-8")
    assert dagster_home(settings) == folder
    assert (folder / "dagster.yaml").read_text(encoding="utf-8") == mine


def test_the_interface_sees_the_settings_that_were_given_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_REFERENCE", str(tmp_path))
    monkeypatch.setenv("LIENTHONG_CONTRACTS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        home=tmp_path / "home", database_url="postgresql:///x", inbox="memory://inbox", archive="memory://archive",
        province="79", settle_seconds=2.5, key_file=tmp_path / "keys",
    )  # fmt: skip
    arguments, environment = ui_command(settings, host="127.0.0.1", port=3001)
    told = {
        "LIENTHONG_HOME": str(tmp_path / "home"), "LIENTHONG_LIMIT_ROWS": "1000", "LIENTHONG_DUE_SINCE": "2026-01-01",
        "LIENTHONG_MAIL_SERVER": "mail.tinh.vn:25", "LIENTHONG_MAIL_FROM": "a@tinh.vn", "LIENTHONG_STORES": "/x/stores.yaml",
    }  # fmt: skip
    given = Settings.from_environment(told)
    _, same = ui_command(given, host="127.0.0.1", port=3001)
    assert Settings.from_environment(same) == given and told.items() <= same.items()
    assert arguments[0] == sys.executable
    assert arguments[arguments.index("--port") + 1] == "3001"
    assert Settings.from_environment(environment) == settings
    assert environment["DAGSTER_HOME"] == str(tmp_path / "home" / "dagster")
    assert (Path(environment["PYTHONPATH"].split(os.pathsep)[0]) / "pipelines" / "definitions.py").exists()


def test_runs_on_the_warehouse_take_turns_and_slow_sources_hold_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "sources"
    folder.mkdir(parents=True)
    for sender in ("22333", "22366", "22390"):
        lines = [f"  - {{name: {name}, kind: inbox, url: {tmp_path}}}" for name in ("a", "b")]
        (folder / f"{sender}.yaml").write_text("\n".join([f'sender: "{sender}"', "sources:", *lines]), encoding="utf-8")
    settings = Settings(home=tmp_path / "home")
    graph = definitions(settings, date(2026, 11, 25))
    with opened_instance(settings) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        limits = list(queue.tag_concurrency_limits)

        def run(job: str) -> dg.DagsterRun:
            # with the tags that sensors and schedules give it, which are what is counted
            return dg.DagsterRun(job_name=job, tags=graph.resolve_job_def(job).run_tags)

        def wait(going: list[str], *then: str) -> list[bool]:
            counter = TagConcurrencyLimitsCounter(limits, [run(job) for job in going])
            return [counter.is_blocked(run(job)) for job in then]

        pull = "pull_{}__{}".format
        assert wait([], "main", "notices", "retention", pull("22333", "a")) == [False] * 4
        assert wait(["main"], "main", "notices", "retention", pull("22333", "a")) == [True, True, True, False]
        assert wait([pull("22333", "a")], pull("22333", "b"), pull("22366", "a"), "main") == [True, False, False]
        full = [pull("22333", "a"), pull("22366", "a")]
        assert wait(full, pull("22390", "a"), "main") == [True, False]
        assert queue.max_concurrent_runs == len(full) + 1


def test_a_run_whose_process_was_killed_gives_up_its_turn(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with opened_instance(settings) as instance:
        assert instance.run_monitoring_enabled
        ids = {}
        for name, hours in (("killed", 13), ("going", 11)):
            run = instance.create_run_for_job(retention_job, status=dg.DagsterRunStatus.STARTING)
            started = dg.DagsterEvent(event_type_value="PIPELINE_START", job_name=run.job_name, message="")
            instance.handle_new_event(
                EventLogEntry(
                    error_info=None, level="debug", user_message="", run_id=run.run_id, job_name=run.job_name,
                    timestamp=time.time() - hours * 3600, dagster_event=started,
                )
            )  # fmt: skip
            ids[name] = run.run_id
        for run_id in ids.values():
            (record,) = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
            monitor_started_run(instance, None, record, logging.getLogger("test"))  # type: ignore[arg-type]
        states = {name: instance.get_run_by_id(run_id).status.name for name, run_id in ids.items()}  # type: ignore[union-attr]
        assert states == {"killed": "FAILURE", "going": "STARTED"}
