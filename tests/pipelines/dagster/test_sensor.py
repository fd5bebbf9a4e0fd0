"""The inbox sensor asks by what waits: once for one set, again for another, however the files are called."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from pipelines.resources import installation
from pipelines.sensors import ATTEMPTS, TAG, inbox_sensor

from .conftest import House

ROW = "22333,Thôn Một,Thôn,10,40"


def look(house: House) -> dg.RunRequest | str:
    """What the sensor says: the run that it asks for, or why it asks for none."""
    resources = {"installation": installation(house.pipeline, shared=True)}
    with dg.build_sensor_context(instance=house.instance, resources=resources) as context:
        answer = inbox_sensor()(context)
    return answer if isinstance(answer, dg.RunRequest) else str(answer.skip_message)


def key(house: House) -> str:
    answer = look(house)
    assert isinstance(answer, dg.RunRequest), answer
    assert answer.run_key
    return answer.run_key


def test_an_empty_inbox_asks_for_nothing(house: House) -> None:
    assert look(house) == "nothing new in the inbox"


def test_the_same_set_has_the_same_key_and_is_not_asked_for_once_it_is_known(house: House) -> None:
    house.send("22333", ROW)
    first = key(house)
    assert key(house) == first
    house.run()
    assert look(house) == "nothing new in the inbox"


def test_a_file_that_changes_twice_asks_twice(house: House) -> None:
    keys = []
    for day, households in ((1, 10), (2, 11), (3, 12)):
        house.send("22333", f"22333,Thôn Một,Thôn,{households},40", day=day)
        keys.append(key(house))
        house.run()
    assert len(set(keys)) == 3
    assert house.sql("select count(*) from intake.delivery") == [(3,)]


def test_a_change_that_keeps_name_size_and_time_is_seen(house: House) -> None:
    path = house.send("22333", ROW)
    house.run()
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("10,40", "10,41"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert key(house)


def test_another_file_under_the_name_of_one_that_went_away_is_another_set(house: House) -> None:
    path = house.send("22333", ROW)
    first = key(house)
    path.unlink()
    house.send("22333", "22333,Thôn Hai,Thôn,10,40")
    assert key(house) != first


def test_what_a_stopped_run_left_is_asked_for(house: House) -> None:
    house.send("22333", ROW)
    with house.pipeline.connection() as connection:
        house.pipeline.receive(connection)
    assert key(house)  # received and not read
    house.pipeline.run()
    assert key(house)  # published, and the board was not told
    house.run()
    assert look(house) == "nothing new in the inbox"


def test_a_set_whose_runs_fail_is_asked_for_again_but_not_for_ever(house: House) -> None:
    house.send("22333", ROW)
    job = house.graph.resolve_job_def("main")
    keys = []
    for _ in range(ATTEMPTS):
        request = look(house)
        assert isinstance(request, dg.RunRequest)
        keys.append(request.run_key)
        run = house.instance.create_run_for_job(job, tags=request.tags, status=dg.DagsterRunStatus.STARTED)
        assert look(house) == "a run is about to take what waits"
        house.instance.report_run_failed(run)
    assert len(set(keys)) == ATTEMPTS
    assert str(look(house)).startswith(f"{ATTEMPTS} runs did not take what waits")
    house.send("22366", ROW, day=2)  # another set
    assert key(house)


def test_the_tag_of_a_run_names_what_waited(house: House) -> None:
    house.send("22333", ROW)
    request = look(house)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == f"{request.tags[TAG]}-1"


def test_growing_files_are_left_out(house: House) -> None:
    path = Path(house.settings.inbox) / "2026-Q1" / "22333" / "thon.csv.part"
    path.parent.mkdir(parents=True)
    path.write_text("half", encoding="utf-8")
    assert look(house) == "nothing new in the inbox"
