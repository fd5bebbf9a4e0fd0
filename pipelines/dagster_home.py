"""Dagster's own home and the two ways into it: a run in this process, and the web interface with its daemon.

Dagster is imported inside the functions: the command must start without it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from .flow import Pipeline

_YAML = """\
# Written by Liên Thông where there was none; yours to change. Where the folder moves, remove this file.
telemetry:
  enabled: false
# Nobody is asked to join anything.
nux:
  enabled: false
event_log_storage:
  module: pipelines.event_storage
  class: KeptOpen
  config:
    base_dir: {events}
# Steps log through Dagster; what they print is not captured.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
# A run whose process was killed says "started" for ever, and would keep its turn: after this time it has failed.
run_monitoring:
  enabled: true
  start_timeout_seconds: 600
  max_runtime_seconds: 43200
# Runs that work on the warehouse take turns, and so do those that pull from one sender; pulls from others go on beside them.
concurrency:
  runs:
    max_concurrent_runs: 3
    tag_concurrency_limits:
      - key: lienthong/turn
        value: {{applyLimitPerUniqueValue: true}}
        limit: 1
      - key: lienthong/source
        value: {{applyLimitPerUniqueValue: true}}
        limit: 1
      # one place is left for the warehouse, however many sources are slow
      - key: lienthong/source
        limit: 2
"""


def dagster_home(settings: Settings) -> Path:
    """The folder of Dagster's instance, ``<home>/dagster``, with a ``dagster.yaml``, written where there is none."""
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "dagster.yaml"
    if not target.exists():
        target.write_text(_YAML.format(events=json.dumps(str(folder / "events"))), encoding="utf-8")
    return folder


@contextmanager
def opened_instance(settings: Settings) -> Iterator[DagsterInstance]:
    """The installation's instance of Dagster."""
    import dagster as dg

    logging.getLogger("dagster").setLevel("ERROR")
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        yield instance


def run_main(
    settings: Settings, *, period: str | None = None, inbox: str | None = None, opened: Pipeline | None = None
) -> bool:
    """Run the main job once in this process, recorded in the installation's instance; whether it succeeded.

    ``period`` and ``inbox`` as in :meth:`pipelines.flow.Pipeline.receive`. Says on the console only what went wrong.
    ``opened``: a pipeline of these settings; its ``ran`` then says what the run did, and what goes wrong is raised as
    it is (Ctrl-C as :class:`KeyboardInterrupt`) instead of said on the console.
    """
    import dagster as dg

    from .graph import definitions
    from .jobs import MAIN, run_config

    level = "ERROR" if opened is None else "CRITICAL"
    quiet = {"loggers": {"console": {"config": {"log_level": level}}}}
    logging.getLogger("dagster").setLevel(level)
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        job = definitions(settings, opened=opened).resolve_job_def(MAIN)
        config = run_config(period=period, inbox=inbox) | quiet
        try:
            done = job.execute_in_process(run_config=config, instance=instance, raise_on_error=opened is not None)
        except dg.DagsterExecutionInterruptedError:
            raise KeyboardInterrupt from None
    return bool(done.success)


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as :meth:`Settings.from_environment` reads them."""
    named = {
        "HOME": settings.home,
        "DATABASE_URL": settings.database_url,
        "INBOX": settings.inbox,
        "ARCHIVE": settings.archive,
        "RETURNS": settings.returns,
        "ANSWERS": settings.answers,
        "REFERENCE": settings.reference,
        "KEY_FILE": settings.key_file,
        "CONTRACTS": os.pathsep.join(map(str, settings.contracts)),
        "PROVINCE": settings.province,
        "SETTLE_SECONDS": settings.settle_seconds,
    }
    said = {f"LIENTHONG_{name}": str(value) for name, value in named.items() if value not in (None, "")}
    return {**settings.environment, **said}


def ui_command(settings: Settings, *, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of Dagster's web server and daemon for the installation; the same from any folder."""
    root = str(Path(__file__).resolve().parents[1])
    arguments = [sys.executable, "-m", "dagster", "dev", "--module-name", "pipelines.definitions"]
    # the folder in which it is started must not decide what `assets` or `schemas` means
    arguments += ["--working-directory", root, "--host", host, "--port", str(port)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    environment = inherited | _environment(settings)
    environment["DAGSTER_HOME"] = str(dagster_home(settings))
    environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [inherited.get("PYTHONPATH")])])
    return arguments, environment


def ui(settings: Settings, *, host: str = "127.0.0.1", port: int = 3000) -> NoReturn:
    """Become Dagster's web server and daemon (with the sensor and the nightly schedule) until interrupted."""
    arguments, environment = ui_command(settings, host=host, port=port)
    os.execve(arguments[0], arguments, environment)
