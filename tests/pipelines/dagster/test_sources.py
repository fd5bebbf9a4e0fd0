"""Sources in Dagster: an asset, a job and a schedule for each; one that fails, or a wrong declaration, stops nothing else."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipelines.graph import definitions
from pipelines.jobs import turn_of

from .conftest import QUIET, TODAY, House

GOOD = """\
sender: "22333"
sources:
  - {{name: thon, kind: inbox, url: "{folder}", schedule: "15 2 * * *"}}
  - {{name: xa, kind: inbox, url: "{folder}/none"}}
"""


@pytest.fixture
def declared(house: House, tmp_path: Path) -> House:
    folder = house.settings.sources_folder
    folder.mkdir(parents=True)
    (tmp_path / "own" / "2026-Q1").mkdir(parents=True)
    (folder / "22333.yaml").write_text(GOOD.format(folder=tmp_path / "own"), encoding="utf-8")
    vars(house.pipeline).pop("declared", None)
    house.graph = definitions(house.settings, TODAY, opened=house.pipeline)
    return house


def test_a_source_is_pulled_by_its_own_job_and_read_by_the_main_one(declared: House, tmp_path: Path) -> None:
    head = "Mã xã,Tên thôn,Loại,Số hộ,Số khẩu\n"
    (tmp_path / "own" / "2026-Q1" / "a.csv").write_text(head + "22333,Thôn Một,Thôn,10,40\n", encoding="utf-8")
    job = declared.graph.resolve_job_def("pull_22333__thon")
    done = job.execute_in_process(run_config=QUIET, instance=declared.instance)
    (told,) = done.asset_materializations_for_node("sources__22333__thon")
    assert (told.metadata["outcome"].value, told.metadata["rows"].value) == ("delivered", 1)
    assert job.tags == {"lienthong/source": "22333"}
    declared.run()
    assert declared.sql("select sender, state from intake.submission") == [("22333", "accepted")]
    schedule = declared.graph.resolve_schedule_def("pull_22333__thon")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 2 * * *", "Asia/Ho_Chi_Minh")


def test_one_that_fails_fails_its_own_run(declared: House) -> None:
    job = declared.graph.resolve_job_def("pull_22333__xa")
    done = job.execute_in_process(run_config=QUIET, instance=declared.instance, raise_on_error=False)
    assert not done.success
    event = next(e for e in done.all_events if e.is_step_failure)
    assert "NO_FOLDER" in str(event.step_failure_data.user_failure_data.description)  # type: ignore[union-attr]
    assert declared.run().success


def test_a_wrong_declaration_leaves_the_rest_as_it_is(declared: House, caplog: pytest.LogCaptureFixture) -> None:
    (declared.settings.sources_folder / "x.yaml").write_text("sender: none\n", encoding="utf-8")
    vars(declared.pipeline).pop("declared", None)
    graph = definitions(declared.settings, TODAY, opened=declared.pipeline)
    names = [j.name for j in graph.get_repository_def().get_all_jobs()]
    assert "main" in names and [n for n in sorted(names) if n.startswith("pull_")] == [
        "pull_22333__thon",
        "pull_22333__xa",
    ]
    assert isinstance(graph, dg.Definitions) and "x.yaml, line 1" in caplog.text
    checked = {
        e.check_name: e
        for e in graph.resolve_job_def("main")
        .execute_in_process(run_config=QUIET, instance=declared.instance)
        .get_asset_check_evaluations()
    }
    wrong = checked["sources_declared"]
    assert not wrong.passed and "x.yaml, line 1" in str(wrong.metadata["findings"].value)
    (declared.settings.sources_folder / "x.yaml").unlink()
    assert declared.pipeline.source_findings() == []


def test_as_many_of_a_senders_sources_as_it_says_have_queues_of_their_own(declared: House, tmp_path: Path) -> None:
    text = (
        GOOD.format(folder=tmp_path)
        .replace('none"', 'none", limits: {at_once: 2}')
        .replace('* *"', '* *", limits: {at_once: 2}')
    )
    third = f'  - {{name: ba, kind: inbox, url: "{tmp_path}/x", limits: {{at_once: 2}}}}\n'
    (declared.settings.sources_folder / "22333.yaml").write_text(text + third, encoding="utf-8")
    vars(declared.pipeline).pop("declared", None)
    sources = declared.pipeline.sources
    assert [turn_of(s, sources) for s in sources.values()] == ["22333", "22333/2", "22333"]


def test_a_schedule_that_is_none_leaves_the_main_job(declared: House) -> None:
    """Dagster refuses to load anything where one schedule is wrong."""
    path = declared.settings.sources_folder / "22333.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("15 2 * * *", "99 99 * * *"), encoding="utf-8")
    vars(declared.pipeline).pop("declared", None)
    graph = definitions(declared.settings, TODAY, opened=declared.pipeline)
    assert "main" in [j.name for j in graph.get_repository_def().get_all_jobs()]
