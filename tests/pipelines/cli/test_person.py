"""``lienthong person``: numbers from standard input, answers as JSON, a question before an erasure, and no number in an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from tests.e2e.flows import workbook

from .conftest import House

NUMBER = "056085001234"
WHY = ("--reason", "yêu cầu số 12", "--by", "tester")
HEAD = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")


@pytest.fixture
def home(house: House, tmp_path: Path) -> House:
    """A house of the test's own with a list of staff."""
    for name in ("keys", "archive"):
        (shutil.copytree if (house.home / name).is_dir() else shutil.copy)(house.home / name, tmp_path / name)
    own = House(tmp_path, house.url, house.truth)
    place = tmp_path / "inbox" / "2026-Q2" / "22366" / "can_bo.xlsx"
    place.parent.mkdir(parents=True)
    place.write_bytes(workbook([HEAD, (NUMBER, "Nguyễn Văn Ánh", "01/02/1985", "Nam", "Kế toán", "Văn phòng")]))
    assert own("run", "--direct", "--json").json["states"].get("accepted") == 1
    return own


def typed(house: House, number: str, *arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), input=number, env=house.environment)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_from_a_number_to_an_erasure(home: House, tmp_path: Path) -> None:
    (found,) = json.loads(typed(home, f"{NUMBER}\n", "person", "find", "--json", *WHY))
    entity = str(found["entity_id"])
    assert home("person", "find", NUMBER, "--json", *WHY).json == [found]
    assert entity in typed(home, NUMBER, "person", "find", *WHY)
    assert "Nobody" in typed(home, "056085009999", "person", "find", *WHY)
    shown = home("person", "show", entity, *WHY)
    assert (
        shown.code == 0
        and NUMBER in shown.out
        and "Nguyễn Văn Ánh" in shown.out
        and "2026-Q2/22366/can_bo.xlsx" in shown.out
    )
    (village,) = home.query("select entity_id from core.villages where publish_to is null limit 1")[0]
    for number, dataset in ((entity, "staff"), (str(village), "villages")):
        assert home("trace", dataset, "--id", number).code == home("why", number, "--dataset", dataset).code == 0
    sent = [
        home.query(f"select min(submission_id) from intake.submission where dataset = '{d}' and state = 'accepted'")[0][
            0
        ]
        for d in ("staff", "villages")
    ]
    for name in sent:
        assert home("show", name, "--workbook", str(tmp_path / f"{name}.xlsx")).code == 0
    looked = home.query(
        "select action, dataset, entity_id, details ->> 'submission' from ops.audit "
        "where action in ('trace', 'why', 'show') and reason like 'lienthong %' order by 1"
    )
    assert looked == [
        ("show", "staff", None, sent[0]), ("trace", "staff", int(entity), None), ("why", "staff", int(entity), None),
    ]  # fmt: skip
    out = tmp_path / "person.json"
    assert home("person", "export", entity, "--output", str(out), *WHY).code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(out.read_text())["identifiers"][0]["value"] == NUMBER
    assert home("person", "show", entity, "--json", *WHY).json["entity_id"] == int(entity)
    planned = home("person", "erase", entity, "--dry-run", "--json", *WHY).json
    assert planned["erased"] is False and planned["counts"]["rows"] == 1
    assert planned["files"] == ["2026-Q2/22366/can_bo.xlsx"]
    assert home("person", "erase", entity, "--json", *WHY).code == 2
    assert home("person", "erase", entity, *WHY).code == 1  # nobody answers
    assert home("person", "show", entity, *WHY).code == 0
    done = home("person", "erase", entity, "--yes", "--json", *WHY)
    assert done.code == 0 and done.json["erased"] is True and done.json["counts"] == planned["counts"]
    assert home("person", "erase", entity, "--yes", "--json", *WHY).json["before"].startswith("erased on")
    for command in (("person", "show", entity, *WHY), ("trace", "staff", "--id", entity), ("why", entity)):
        gone = home(*command)
        assert gone.code == 2 and "because yêu cầu số 12" in gone.err, (command, gone)
    ((submission,),) = home.query("select submission_id from intake.submission where dataset = 'staff'")
    assert home("show", submission, "--json").json["destroyed"]["why"] == "yêu cầu số 12"
    assert "đã hủy ngày" in home("show", submission).out
    assert "because yêu cầu số 12" in home("replay", "--submission", submission).err
    actions = home.query("select action from ops.audit where who = 'tester' order by audit_id")
    assert [a[0] for a in actions] == [
        "find", "find", "find", "find", "show", "export", "show", "plan erasure", "plan erasure", "plan erasure", "show", "erase",
    ]  # fmt: skip
    assert NUMBER not in str(home.query("select to_jsonb(a)::text from ops.audit a"))


def test_errors_say_no_number(home: House) -> None:
    for arguments in (
        ("person", "show", NUMBER, *WHY),
        ("person", "find", NUMBER, "--reason", f"vì {NUMBER}"),
        ("person", "erase", NUMBER, "--yes", "--reason", f"vì {NUMBER}"),
    ):
        done = home(*arguments)
        assert done.code == 2 and NUMBER.lstrip("0") not in done.err, done


def test_a_correction_through_the_job(home: House) -> None:
    (found,) = home("person", "find", NUMBER, "--json", *WHY).json
    entity = str(found["entity_id"])
    refused = home("person", "correct", entity, "gender", "Xyz", "--json", *WHY)
    assert refused.code == 2 and "Xyz" not in refused.out + refused.err
    done = home("person", "correct", entity, "full_name", "Nguyễn Văn Anh", "--json", *WHY)
    assert done.code == 0 and done.json["takes_effect"] == "publish"
    ran = home("run", "--json")
    assert ran.code == 0 and ran.json["publish"] is not None, ran
    assert "Nguyễn Văn Anh" in home("person", "show", entity, *WHY).out
    told = home("why", entity, "full_name")
    assert "STEWARD" in told.out and done.json["submission_id"] in told.out, told
    assert done.json["submission_id"] in home("trace", "staff", "--id", entity).out
    for command in (("status",), ("status", "--dataset", "staff"), ("show", done.json["submission_id"])):
        assert home(*command).code == 0, command
    assert home("replay", "--json").code in (0, 1)
    assert "Nguyễn Văn Anh" in home("person", "show", entity, *WHY).out
    assert home("withdraw", done.json["submission_id"], "--reason", "nhầm").code == 0
    home("publish")
    assert home.query("select full_name from vault.staff") == [("Nguyễn Văn Ánh",)]
