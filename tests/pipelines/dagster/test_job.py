"""The main job through real Dagster, on a real server: from files in the inbox to the board of who has sent what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.dagster_home import dagster_home, run_main
from pipelines.sample import generate

from .conftest import COMMUNES, House

GOOD = ("{0},Thôn Một,Thôn,10,40", "{0},Thôn Hai,Thôn,20,80", "{0},Thôn Ba,Thôn,30,90", "{0},Thôn Tư,Thôn,30,90")


def good(sender: str) -> list[str]:
    """Four sound rows."""
    return [row.format(sender) for row in GOOD]


def test_the_sample_province_from_inbox_to_board(house: House) -> None:
    communes = list(COMMUNES.items())
    truth = generate(
        Path(house.settings.inbox), communes=communes, periods=("2026-Q1", "2026-Q2"), villages_per_commune=(4, 6),
        defects=("corrected", "unknown_sender"),
    )  # fmt: skip
    result = house.run()
    assert result.success
    stands = {f"{d.period}|{d.sender}" for d in truth.submissions if d.state in ("accepted", "partly") and d.in_force}
    assert stands, "the sample must have something to show"
    assert house.board() == stands
    assert {place for place, (passed, _) in house.verdicts().items() if passed} == {
        f"{d.period}|{d.sender}" for d in truth.submissions if d.state == "accepted" and d.in_force
    }
    # each event leads to the answer and to the workbook that goes back
    assert len(house.links()) == 2 * len(stands) and all(Path(path).is_file() for path in house.links())
    metadata = result.asset_materializations_for_node("returns__answers")[0].metadata
    assert metadata["without_place"].value == 1  # the unknown sender
    assert metadata["answers"].value == len(truth.submissions)

    before = house.sql("select * from mart_v1.villages_history order by 1, 2")
    events = house.events()
    again = house.run()
    assert house.events() == events
    assert house.sql("select * from mart_v1.villages_history order by 1, 2") == before
    metadata = again.asset_materializations_for_node("returns__answers")[0].metadata
    assert (metadata["answers"].value, metadata["reported"].value) == (0, 0)
    assert house.sql("select max(number) from core.publish where state = 'published'") == [(1,)]


def test_what_was_sent_later_is_told_and_the_verdict_is_on_the_last_word(house: House) -> None:
    house.send("22333", *good("22333"))
    house.run()
    assert house.verdicts() == {"2026-Q1|22333": (True, "WARN")}

    house.send("22333", *good("22333")[:1], name="thieu.csv", day=2)  # ends three villages of four: held
    house.run()
    assert house.events() == [
        ("materialised", "2026-Q1|22333", "accepted"),
        ("observed", "2026-Q1|22333", "held"),
    ]
    assert house.verdicts() == {"2026-Q1|22333": (False, "WARN")}

    bad = good("22333")[:3] + ["22333,Thôn Tư,Thôn,30,chưa thống kê"]
    house.send("22333", *bad, name="sua.csv", day=3)
    house.run()
    assert house.events()[2:] == [
        ("observed", "2026-Q1|22333", "superseded"),
        ("materialised", "2026-Q1|22333", "partly"),
    ]
    assert house.verdicts() == {"2026-Q1|22333": (False, "WARN")}


def test_a_rejected_file_is_an_error_on_the_board_and_never_green(house: House) -> None:
    house.send("22366", "22366,Thôn Một,Thôn,10", header="Mã xã,Tên thôn,Loại,Số hộ")
    house.run()
    assert house.board() == set()
    assert house.events() == [("observed", "2026-Q1|22366", "rejected")]
    assert house.verdicts() == {"2026-Q1|22366": (False, "ERROR")}


def test_a_run_may_keep_to_one_period_folder_or_take_another_inbox(house: House, tmp_path: Path) -> None:
    house.send("22333", *good("22333"), period="2026-Q1")
    house.send("22333", *good("22333"), period="2026-Q2", day=2)
    house.run(period="2026-Q2")
    assert house.board() == {"2026-Q2|22333"}
    (tmp_path / "other" / "2026-Q1").mkdir(parents=True)
    (Path(house.settings.inbox) / "2026-Q1").rename(tmp_path / "other" / "2026-Q1")
    house.run(inbox=str(tmp_path / "other"))
    assert house.board() == {"2026-Q1|22333", "2026-Q2|22333"}


def test_what_is_told_holds_no_value_of_a_row_and_no_file_name(house: House) -> None:
    house.send("22333", *good("22333"), "22333,Thôn Năm,Thôn,bí mật,5", name="Nguyễn Văn A.csv")
    house.run()
    assert house.sql("select state from intake.submission") == [("partly",)]
    said = "\n".join(str(entry) for entry in house.instance.event_log_storage.get_logs_for_run("")) + "\n".join(
        str(record.event_log_entry) for run in house.instance.get_runs()
        for record in house.instance.get_records_for_run(run.run_id).records
    )  # fmt: skip
    assert "rows_quarantined" in said
    for word in ("bí mật", "Thôn Năm", "Nguyễn"):
        assert word not in said


def test_an_error_of_the_database_leaves_no_value_in_the_event_log(house: House) -> None:
    house.run()
    house.sql(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        "raise exception 'Key (citizen_id)=(056123456789) exists' using errcode = '23505', detail = 'Nguyễn Văn A'; "
        "end $$; create trigger refuse before insert on intake.delivery execute function refuse()"
    )
    house.send("22333", *good("22333"))
    job = house.graph.resolve_job_def("main")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    result = job.execute_in_process(instance=house.instance, run_config=quiet, raise_on_error=False)
    assert not result.success
    records = house.instance.get_records_for_run(result.run_id).records
    said = "\n".join(str(record.event_log_entry) for record in records)
    assert "UniqueViolation (SQLSTATE 23505) at ledger.py" in said
    for word in ("056123456789", "citizen_id", "Nguyễn"):
        assert word not in said


def test_run_main_keeps_its_instance_in_the_home(house: House) -> None:
    house.send("22333", *good("22333"))
    assert run_main(house.settings)
    home = dagster_home(house.settings)
    assert "enabled: false" in (home / "dagster.yaml").read_text(encoding="utf-8")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        assert instance.get_materialized_partitions(dg.AssetKey(["inbox", "villages"])) == {"2026-Q1|22333"}
    assert {path.name for path in (home / "events").glob("*.db")} >= {"index.db"}
    answers = list((house.settings.home / "answers").rglob("*.json"))
    assert [json.loads(path.read_text(encoding="utf-8"))["state"] for path in answers] == ["accepted"]


def test_run_main_says_so_where_it_failed(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    (house.settings.home / "dagster").mkdir(parents=True)
    house.run()
    house.sql("drop table intake.decision cascade")
    assert not run_main(house.settings)
    assert "UndefinedTable" in capfd.readouterr().err


def test_a_secret_marking_alarms_until_its_file_is_gone_and_stops_nothing(house: House) -> None:
    house.send("22333", *good("22333"))
    path = house.send("22366", "TUYỆT MẬT", *good("22366"), name="Zyxquân.csv", day=2)

    def alarm() -> tuple[bool, str, dict[str, Any]]:
        result = house.run()
        assert result.success
        (found,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "no_secret_markings"]
        assert "Zyxquân" not in str(result.all_events)
        return found.passed, found.severity.name, {name: value.value for name, value in found.metadata.items()}

    for _ in range(2):
        passed, severity, said = alarm()
        assert (passed, severity, said["count"], said["senders"]) == (False, "ERROR", 1, {"22366": 1})
    assert house.board() == {"2026-Q1|22333"}
    path.unlink()
    assert alarm()[0]
