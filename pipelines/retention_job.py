"""The job and the weekly schedule that remove what may go (:mod:`pipelines.retention`, :mod:`assets.returns.expiry`). Off until
somebody switches it on.
"""

# no postponed annotations: Dagster looks at those of the functions that it is given
import dagster as dg
from pydantic import Field

from assets.installation import Installation, connected
from assets.returns.expiry import LEAST_MONTHS, MONTHS, expire

from .clock import believed
from .flow import Pipeline
from .jobs import WAREHOUSE
from .retention import DAYS, LEAST_DAYS, clear, feed_clear

RETENTION = "retention"


class Kept(dg.Config):
    """How long runs and ticks are kept, and how long the bytes of deliveries."""

    days: int = Field(default=DAYS, ge=LEAST_DAYS)
    months: int = Field(default=MONTHS, ge=LEAST_MONTHS)


@dg.op(
    description="Removes Dagster's old runs and ticks, what crashes left in the archive, and bytes at the end of their time."
)
def remove_old(context: dg.OpExecutionContext, config: Kept, installation: dg.ResourceParam[Installation]) -> None:
    """Remove; the counts are in the run's log."""
    assert isinstance(installation, Pipeline)
    settings = installation.settings
    with connected(installation) as connection:
        now = believed(connection)
        done = clear(context.instance, installation.archive, now, config.days)
        folders = [settings.answered, settings.returned]
        gone = expire(connection, installation.archive, folders, now, config.months, by=RETENTION)
        changes = feed_clear(connection, now)
    context.log.info(
        f"removed {done.runs} runs, {done.ticks} ticks, {done.partials} unnamed files of {done.partial_bytes} bytes; "
        f"{changes} changes of the feed; "
        f"destroyed the bytes of {gone.deliveries} deliveries, {gone.bytes} bytes; {gone.kept} old ones wait for somebody"
    )


@dg.job(
    name=RETENTION, description="Dagster's old runs and ticks, unnamed files in the archive, bytes at the end of their time.",
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
