"""Dagster's own home and the two ways into it: a run in this process, and the web interface with its daemon.

Dagster is imported inside the functions: the command must start without it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from .settings import Settings

_YAML = """\
# Written once by Liên Thông; yours to change. Everything is kept in this folder, in SQLite.
telemetry:
  enabled: false
event_log_storage:
  module: pipelines.event_storage
  class: KeptOpen
  config:
    base_dir:
      env: LIENTHONG_DAGSTER_EVENTS
# Steps log through Dagster; what they print is not captured.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
# Runs of the sensor and of the night wait for each other.
concurrency:
  runs:
    max_concurrent_runs: 1
"""


def dagster_home(settings: Settings) -> Path:
    """The folder of Dagster's instance, ``<home>/dagster``, with a ``dagster.yaml`` that is written where there is none."""
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "dagster.yaml"
    if not target.exists():
        target.write_text(_YAML, encoding="utf-8")
    return folder


def run_main(settings: Settings, *, period: str | None = None, inbox: str | None = None) -> bool:
    """Run the main job once in this process, recorded in the installation's instance; whether it succeeded.

    ``period`` and ``inbox`` as in :meth:`pipelines.flow.Pipeline.receive`. Says on the console only what went wrong.
    """
    import dagster as dg

    from .definitions import definitions
    from .jobs import MAIN, run_config

    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    logging.getLogger("dagster").setLevel(logging.ERROR)
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        job = definitions(settings).resolve_job_def(MAIN)
        done = job.execute_in_process(
            run_config=run_config(period=period, inbox=inbox) | quiet, instance=instance, raise_on_error=False
        )
    return bool(done.success)
