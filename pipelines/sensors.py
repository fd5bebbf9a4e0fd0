"""Sensors: the inbox, looked at every minute, and runs that failed.

A run is asked for by what waits, not by file names or a cursor: the run key names the set of waiting deliveries and
words (:mod:`assets.intake.waiting`), so the same set asks once, and a file that changes twice asks twice.
"""

# no postponed annotations: Dagster looks at those of the functions that it is given
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.installation import Installation, connected
from assets.intake.waiting import waiting
from assets.returns.reminders.alerts import happened

from .jobs import MAIN

TAG = "lienthong/waiting"
ATTEMPTS = 3
"""Runs a day for one set; after that it is the nightly run's."""


def inbox_sensor() -> dg.SensorDefinition:
    """Asks for a run of the main job when something waits that no run is about to take."""

    @dg.sensor(
        name="inbox_sensor",
        job_name=MAIN,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a run where files, deliveries or states wait for one.",
    )
    def look_at_inbox(
        context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
    ) -> dg.RunRequest | dg.SkipReason:
        with connected(installation) as connection:
            settings = installation.settings
            found = waiting(connection, settings.inbox, settings.settle_seconds)
        if not found.digest:
            growing = f"; {found.growing} files are still being written" if found.growing else ""
            return dg.SkipReason(f"nothing new in the inbox{growing}")
        since = datetime.now(UTC) - timedelta(days=1)
        tried = context.instance.get_runs(dg.RunsFilter(tags={TAG: found.digest}, created_after=since), limit=ATTEMPTS)
        if any(not run.is_finished for run in tried):
            return dg.SkipReason("a run is about to take what waits")
        if len(tried) == ATTEMPTS:
            return dg.SkipReason(f"{ATTEMPTS} runs did not take what waits; the nightly run tries again")
        context.log.info(
            f"{len(found.unknown)} new files, {len(found.unread)} unread deliveries, {len(found.untold)} untold states"
        )
        return dg.RunRequest(run_key=f"{found.digest}-{len(tried) + 1}", tags={TAG: found.digest})

    return look_at_inbox


def failure_sensor(installation: Installation) -> dg.SensorDefinition:
    """Writes down that a run failed, for the operators; :func:`assets.returns.reminders.alerts.tell` tells them."""

    @dg.run_failure_sensor(
        name="failure_sensor",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes an alert of each run that failed.",
    )
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        with connected(installation) as connection:
            happened(connection, "RUN_FAILED", run.run_id[:8], datetime.now(UTC), job=run.job_name)

    return run_failed
