"""The job and the daily schedule that close periods whose contracts say when (``closeAfter``). Off until it is switched on."""

# no postponed annotations: Dagster looks at those of the functions that it is given
import dagster as dg

from assets.core.closing import close_due
from assets.installation import Installation, connected
from assets.marts.due import derive_due
from assets.reference.store import stored_workdays

from .clock import believed
from .jobs import WAREHOUSE

CLOSE = "close"


@dg.op(description="Closes the periods whose contracts say so by now; what comes later for them is held.")
def close_periods(context: dg.OpExecutionContext, installation: dg.ResourceParam[Installation]) -> None:
    """Close; what was closed is in the run's log."""
    with connected(installation) as connection:
        now = believed(connection)
        derive_due(connection, installation.contracts, now, installation.settings.due_since)
        done = close_due(connection, installation.contracts, now, stored_workdays(connection))
    for row in done:
        context.log.info(
            f"closed {row['dataset']} {row['period']}: {row['missing']} of {row['expected']} senders missing, {row['held']} held"
        )
    context.log.info(f"closed {len(done)} periods")


@dg.job(
    name=CLOSE, description="Periods whose contracts say when they are closed.",
    executor_def=dg.in_process_executor, tags=WAREHOUSE,
)  # fmt: skip
def close_job() -> None:
    """Close what is to be closed."""
    close_periods()


def daily() -> dg.ScheduleDefinition:
    """Every day at 00:15 in Vietnam, once somebody has switched it on."""
    return dg.ScheduleDefinition(
        name=CLOSE,
        job_name=CLOSE,
        cron_schedule="15 0 * * *",
        execution_timezone="Asia/Ho_Chi_Minh",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
