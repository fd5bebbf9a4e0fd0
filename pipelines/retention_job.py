"""The job and the weekly schedule that remove what may go (:mod:`pipelines.retention`). Off until somebody switches it on."""

# no postponed annotations: Dagster looks at those of the functions that it is given
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from assets.installation import Installation, connected

from .flow import Pipeline
from .jobs import WAREHOUSE
from .retention import DAYS, LEAST_DAYS, clear

RETENTION = "retention"


class Kept(dg.Config):
    """How long runs and ticks are kept."""

    days: int = Field(default=DAYS, ge=LEAST_DAYS)


@dg.op(description="Removes Dagster's old runs and ticks, and what crashes left in the archive.")
def remove_old(context: dg.OpExecutionContext, config: Kept, installation: dg.ResourceParam[Installation]) -> None:
    """Remove; the counts are in the run's log."""
    assert isinstance(installation, Pipeline)
    with connected(installation):
        done = clear(context.instance, installation.archive, datetime.now(UTC), config.days)
    context.log.info(
        f"removed {done.runs} runs, {done.ticks} ticks, {done.partials} unnamed files of {done.partial_bytes} bytes"
    )


@dg.job(
    name=RETENTION, description="Dagster's old runs and ticks, and unnamed files in the archive.",
    executor_def=dg.in_process_executor, tags=WAREHOUSE,
)  # fmt: skip
def retention_job() -> None:
    """Remove what may go."""
    remove_old()


def weekly() -> dg.ScheduleDefinition:
    """Sundays at 03:00 in Vietnam, once somebody has switched it on."""
    return dg.ScheduleDefinition(
        name=RETENTION,
        job_name=RETENTION,
        cron_schedule="0 3 * * 0",
        execution_timezone="Asia/Ho_Chi_Minh",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
