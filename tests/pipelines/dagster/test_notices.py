"""What is expected, reminders and alerts in Dagster: a job of their own, and a sensor of runs that failed."""

from __future__ import annotations

import dagster as dg

from pipelines.jobs import NOTICES
from pipelines.sensors import failure_sensor

from .conftest import QUIET, House


def test_the_job_says_who_is_late_and_what_was_told(house: House) -> None:
    house.send("22333", "22333,Thôn Một,Thôn,10,40")
    house.run()
    done = house.graph.resolve_job_def(NOTICES).execute_in_process(run_config=QUIET, instance=house.instance)
    due = done.asset_materializations_for_node("ops__due")[0].metadata
    # the first quarter of 2026 is past, whenever this runs: two of three communes owe it, and all owe the quarters since
    rows = house.sql("select sender, state from ops.due where period = '2026-Q1' order by 1")
    assert rows == [("22333", "ACCEPTED"), ("22366", "OVERDUE"), ("22390", "OVERDUE")]
    assert due["accepted"].value == 1
    told = done.asset_materializations_for_node("ops__notices")[0].metadata
    assert (told["sending"].value, told["letters_sent"].value, told["alerts_told"].value) == (False, 0, 0)
    (check,) = [c for c in done.get_asset_check_evaluations() if c.check_name == "nobody_is_late"]
    late = house.sql("select count(*) from ops.due where state = 'OVERDUE'")[0][0]
    assert (check.passed, check.severity, check.metadata["late"].value) == (False, dg.AssetCheckSeverity.WARN, late)
    first = check.metadata["by_period"].value.records[0].data  # type: ignore[union-attr]
    assert (first["period"], first["senders"], first["first"]) == ("2026-Q1", 2, "22366, 22390")


def test_nothing_due_is_no_pass(house: House) -> None:
    done = house.graph.resolve_job_def(NOTICES).execute_in_process(run_config=QUIET, instance=house.instance)
    (check,) = [c for c in done.get_asset_check_evaluations() if c.check_name == "nobody_is_late"]
    assert not check.passed and check.description == "not evaluated: nothing has been due yet"


def test_a_run_that_failed_is_an_alert(house: House) -> None:
    @dg.op
    def breaks() -> None:
        raise RuntimeError("056085001234")

    @dg.job
    def broken() -> None:
        breaks()

    done = broken.execute_in_process(instance=house.instance, raise_on_error=False)
    context = dg.build_run_status_sensor_context(
        sensor_name="failure_sensor", dagster_event=done.get_run_failure_event(), dagster_instance=house.instance,
        dagster_run=done.dagster_run,
    ).for_run_failure()  # fmt: skip
    sensor = failure_sensor(house.pipeline)
    for _ in range(2):
        sensor(context)
    assert house.sql("select kind, about, params from ops.alert") == [
        ("RUN_FAILED", done.dagster_run.run_id[:8], {"job": "broken"})
    ]
