"""What is expected from whom until when: a simulated year against plain loops, and what real runs leave."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.marts.due import read_due, worst
from pipelines import cli_due
from schemas.vietnam import VIETNAM
from tests.e2e import year
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv

SINCE = date(year.YEAR, 1, 1)
Year = tuple[World, list[year.Line], list[year.Sent]]


@pytest.fixture(scope="module")
def simulated(make_world: Make, tmp_path_factory: pytest.TempPathFactory) -> Year:
    lists = year.reference_folder(tmp_path_factory.mktemp("lists") / "lists")
    world = make_world(reference=lists, due_since=SINCE)
    communes = [s.code for s in world.pipeline.senders.values() if s.kind == "commune"]
    assert len(communes) + len(year.DEPARTMENTS) == 79
    expected = year.lines(communes, SINCE)
    sent = year.drawn(expected, seed=1)
    with world.pipeline.connection() as connection:
        year.write(connection, sent)
    return world, expected, sent


def found(world: World) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    rows = world.rows(
        "select sender, dataset, period, due_on, state, late, working_days_late, responsible from ops.due"
    )
    return {r[:3]: r[3:] for r in rows}


def test_a_year_of_79_senders_is_as_plain_loops_say(simulated: Year) -> None:
    world, expected, sent = simulated
    seen: set[object] = set()
    with world.pipeline.connection() as connection:
        for now in year.moments():
            world.pipeline.expect(connection, now)
            right, here = year.known(expected, sent, now), found(world)
            wrong = {k: (here.get(k), right.get(k)) for k in here.keys() | right.keys() if here.get(k) != right.get(k)}
            assert not wrong, (now, len(wrong), list(wrong.items())[:5])
            seen |= {line[1] for line in here.values()}
    # all that can be seen of a year without files that wait to be read
    assert seen == {"UPCOMING", "OPEN", "OVERDUE", "HELD", "REJECTED", "PARTLY", "ACCEPTED"}
    assert {year.INTO} == {r[0] for r in world.rows(f"select responsible from ops.due where sender = '{year.MERGED}'")}
    first = world.rows(f"select min(period) from ops.due where sender = '{year.NEW}' and dataset = 'kpi_evaluations'")
    assert first == [("2026-04",)]
    last = world.rows(f"select max(period) from ops.due where sender = '{year.MERGED}'")
    assert last == [("2026-04",)]


def test_the_same_moment_again_changes_nothing_and_an_earlier_one_is_as_it_was(simulated: Year) -> None:
    world, expected, sent = simulated
    first, later = (datetime(year.YEAR, m, 20, 3, tzinfo=UTC) for m in (5, 9))
    with world.pipeline.connection() as connection:
        world.pipeline.expect(connection, first)
        before = world.rows("select * from ops.due order by 1, 2, 3")
        assert world.pipeline.expect(connection, first).changed == 0
        assert world.pipeline.expect(connection, later).changed > 100
        # a clock that was wrong and is put right
        world.pipeline.expect(connection, first)
        kept = [r[:-1] for r in before]
        assert [r[:-1] for r in world.rows("select * from ops.due order by 1, 2, 3")] == kept
        late = worst(connection, first)
    right = year.known(expected, sent, first)
    too_late = [
        k for k, v in right.items() if v[1] in ("OVERDUE", "HELD", "REJECTED") and v[0] < date(year.YEAR, 5, 20)
    ]
    assert sum(r["senders"] for r in late) == len(too_late) > 10
    assert late == sorted(late, key=lambda r: (r["due_on"], r["dataset"], r["period"], r["state"]))


def _at(day: int, month: int = 7) -> datetime:
    return datetime(2026, month, day, 8, tzinfo=VIETNAM)


def test_real_files_and_words_count(make_world: Make) -> None:
    world = make_world()
    a, b, c, d, e, f = world.communes[:6]
    good = text_csv([HEAD, ("Thôn A", "Thôn", 70, 300)])
    world.drop(a, good, "a.csv", at=_at(3))
    world.drop(b, good, "b.csv", at=_at(8))
    world.drop(
        c, text_csv([("Tên gì đó", "Không rõ"), ("x", "y")]), "c.csv", at=_at(3), sidecar={"dataset": "villages"}
    )
    world.drop(d, b"nothing_to_report: true\ndataset: villages\n", "d.yaml", at=_at(4))
    world.drop(e, good, "e.csv", at=_at(5))
    world.run()
    name = world.rows(f"select submission_id from intake.submission where sender = '{e}'")[0][0]
    world.drop(e, f"withdraws: {name}\ndataset: villages\n".encode(), "rut.yaml", at=_at(6))
    world.run()

    def line(sender: str) -> tuple[Any, ...]:
        return world.rows(
            "select state, late, working_days_late, nothing_to_report, due_on from ops.due where dataset = 'villages' "
            f"and period = '2026-Q2' and sender = '{sender}'"
        )[0]

    monday = date(2026, 7, 6)
    with world.pipeline.connection() as connection:
        world.pipeline.expect(connection, _at(10))
        assert line(a) == ("ACCEPTED", False, 0, False, monday)
        assert line(b) == ("ACCEPTED", True, 2, False, monday)
        assert line(c) == ("REJECTED", False, 0, False, monday)
        assert line(d) == ("ACCEPTED", False, 0, True, monday)
        assert line(e)[:3] == line(f)[:3] == ("OVERDUE", True, 4)
        # Q3 runs, and nobody is asked for the years before
        periods = world.rows(
            "select distinct period, state from ops.due where dataset = 'villages' and sender = %s order by 1", [f]
        )
        assert periods == [("2026-Q2", "OVERDUE"), ("2026-Q3", "UPCOMING")]
        # of what nobody ever sent: from the periods that ended after the first delivery
        kpi = world.rows(
            "select period, state from ops.due where dataset = 'kpi_evaluations' and sender = %s order by 1", [f]
        )
        assert kpi == [("2026-07", "UPCOMING")]
        assert read_due(connection, sender=f, states=["OVERDUE"])[0]["due_at"] == datetime(2026, 7, 7, tzinfo=VIETNAM)
    assert world.rows("select count(*) from ops.due_run") == [(1,)]
    # nor does the log of submissions take the word that withdraws a file for a report
    world.drop(a, good, "muon.csv", at=_at(20))
    world.run()
    log = "select state, received_at, reminders from mart_v1.submission_log where dataset = 'villages' and period = '2026-Q2'"
    assert world.rows(f"{log} and sender = '{e}'") == world.rows(f"{log} and sender = '{f}'") == [("CHUA_NOP", None, 1)]


def test_before_anything_was_sent_the_running_periods_are_expected(world: World) -> None:
    with world.pipeline.connection() as connection:
        states = world.pipeline.expect(connection, _at(10)).states
        assert set(states) == {"UPCOMING"}
        assert world.rows("select distinct period from ops.due where dataset = 'villages'") == [("2026-Q3",)]


def test_the_calendar_can_be_read(world: World) -> None:
    with world.pipeline.connection() as connection:
        world.pipeline.expect(connection, _at(10))
        rows = read_due(connection, sender=world.communes[0])
    text = cli_due.calendar(rows, world.pipeline.contracts, datetime(2026, 7, 10, tzinfo=UTC))
    lines = text.split("\r\n")
    assert lines.pop() == "" and all(len(line.encode()) <= 75 for line in lines) and "\n" not in "".join(lines)
    whole = text.replace("\r\n ", "")
    assert whole.count("BEGIN:VEVENT") == len(rows) > 3
    assert len(set(re.findall(r"^UID:(.*)\r$", whole, re.M))) == len(rows)
    villages = next(r for r in rows if r["dataset"] == "villages")
    assert (
        villages["due_on"] == date(2026, 10, 5) and "DTSTART;VALUE=DATE:20261005\r\nDTEND;VALUE=DATE:20261006" in whole
    )
    title = world.pipeline.contracts["villages"].title.replace(",", "\\,")
    assert f"SUMMARY:Hạn gửi: {title}\\, kỳ 2026-Q3" in whole


def test_the_command_says_who_is_late(
    make_world: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import json

    from pipelines.cli import main

    world = make_world()
    world.drop(world.communes[0], text_csv([HEAD, ("Thôn A", "Thôn", 70, 300)]), "a.csv", at=_at(3))
    world.run()
    settings = world.pipeline.settings
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("LIENTHONG_HOME", str(settings.home))
    monkeypatch.setattr(
        "sys.argv", ["lienthong", "due", "--dataset", "villages", "--json", "--ics", str(tmp_path / "a.ics")]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    rows = json.loads(capsys.readouterr().out)["due"]
    late = [r for r in rows if r["period"] == "2026-Q2"]
    # this is about today, whenever that is: the second quarter of 2026 is past and was sent by one commune only
    assert ended.value.code == 1 and len(late) == len(world.communes) - 1
    assert {r["state"] for r in late} == {"OVERDUE"} and (tmp_path / "a.ics").read_bytes().startswith(
        b"BEGIN:VCALENDAR\r\n"
    )
    for wrong in (["--state", "lost"], ["--dataset", "village"]):
        monkeypatch.setattr("sys.argv", ["lienthong", "due", *wrong])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "there is no state lost" in said and "there is no dataset village" in said
    assert local(timedelta(0)) >= date(2026, 7, 7)


def local(after: timedelta) -> date:
    """Today in Vietnam, and some time after."""
    return (datetime.now(VIETNAM) + after).date()
