"""Schedules: the nightly run, which also takes up what a sensor gave up on."""

from __future__ import annotations

import dagster as dg

from .jobs import MAIN


def nightly() -> dg.ScheduleDefinition:
    """Every night at 01:30 in Vietnam, when nobody sends."""
    return dg.ScheduleDefinition(
        name="nightly",
        job_name=MAIN,
        cron_schedule="30 1 * * *",
        execution_timezone="Asia/Ho_Chi_Minh",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
