"""Schedules: the nightly run, which also takes up what a sensor gave up on; reminders and alerts in the hours of offices."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from schemas.sources import Source

from .jobs import MAIN, NOTICES, pull_name


def nightly() -> dg.ScheduleDefinition:
    """Every night at 01:30 in Vietnam, when nobody sends."""
    return dg.ScheduleDefinition(
        name="nightly",
        job_name=MAIN,
        cron_schedule="30 1 * * *",
        execution_timezone="Asia/Ho_Chi_Minh",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def notices() -> dg.ScheduleDefinition:
    """Every hour from 07:30 to 17:30 in Vietnam. Each reminder goes out once, however often it is looked at."""
    return dg.ScheduleDefinition(
        name="notices",
        job_name=NOTICES,
        cron_schedule="30 7-17 * * *",
        execution_timezone="Asia/Ho_Chi_Minh",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def pulls(sources: Iterable[Source]) -> list[dg.ScheduleDefinition]:
    """When sources that have a schedule are pulled, in Vietnam's time."""
    return [
        dg.ScheduleDefinition(
            name=pull_name(source),
            job_name=pull_name(source),
            cron_schedule=source.spec.schedule,
            execution_timezone="Asia/Ho_Chi_Minh",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        for source in sources
        if source.spec.schedule is not None
    ]
