"""The job that closes periods, in Dagster."""

from __future__ import annotations

from dataclasses import replace

from pipelines.close_job import CLOSE
from pipelines.graph import definitions

from .conftest import QUIET, House

ROW = "22333,Thôn Một,Thôn,10,40"


def test_the_job_closes_what_the_contracts_say_and_again_nothing(house: House) -> None:
    house.send("22333", ROW)
    house.run()
    house.pipeline.contracts = {
        name: replace(c, close_after=1) if name == "villages" else c for name, c in house.pipeline.contracts.items()
    }
    job = definitions(house.settings, opened=house.pipeline).resolve_job_def(CLOSE)
    for _ in range(2):
        assert job.execute_in_process(instance=house.instance, run_config=QUIET).success
        closed = house.sql("select dataset, period, decided_by from ops.close order by 2")
        assert closed[0] == ("villages", "2026-Q1", "schedule")
        assert {r[0] for r in closed} == {"villages"}
    twice = house.sql("select period from intake.closing group by 1 having count(*) > 1")
    assert twice == []
