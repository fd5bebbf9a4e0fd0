"""The command on a real database: each subcommand's answer and exit code, and one thing that it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pipelines import cli
from pipelines.cli_errors import explain, show_traceback
from schemas.contract import builtin_folder
from schemas.migrate import HEAD

from .conftest import ROOT, House, Result, Script


def file_of(house: House, defect: str) -> Path:
    """The file with a defect."""
    return house.home / "inbox" / next(s.path for s in house.truth.submissions if s.defect == defect)


# --- the flow ---


def test_run_accounts_for_every_file(ran: tuple[str, House, Result]) -> None:
    _, house, first = ran
    assert first.code == 1
    done = first.json
    assert done["received"] == len(house.truth.submissions)
    assert done["publish"] == 1
    assert done["states"] == {"accepted": 11, "partly": 2, "held": 1, "rejected": 1}
    assert done["rows"]["quarantined"] == 2
    assert {s["submission_id"] for s in done["submissions"]} == {
        r[0] for r in house.query("select submission_id from intake.submission")
    }


def test_run_again_changes_nothing_and_says_where_it_looked(house: House) -> None:
    again = house("run", "--direct")
    assert again.code == 0
    assert "Nothing changed" in again.out
    assert str(house.home / "inbox") in again.out
    assert house("run", "--direct", "--json").json["publish"] is None


def test_run_of_one_period_of_another_inbox(house: House, tmp_path: Path) -> None:
    place = tmp_path / "2026-Q3" / "22366"
    place.mkdir(parents=True)
    (place / "thon.csv").write_text("Tên thôn,Loại,Số hộ,Số khẩu\nMột,TDP,10,30\n", encoding="utf-8")
    assert house("run", "--direct", "--inbox", str(tmp_path), "--period", "2026-Q4").code == 0
    done = house("run", "--direct", "--inbox", str(tmp_path), "--period", "2026-Q3", "--json").json
    assert done["received"] == 1
    # who is answered by a run of Dagster is answered by this one as well
    name = done["submissions"][0]["submission_id"]
    told = json.loads((house.home / "answers" / "2026-Q3" / "22366" / f"{name}.json").read_text(encoding="utf-8"))
    assert told["state"] == done["submissions"][0]["state"]


def test_dry_run_prints_the_difference_and_writes_nothing(house: House, tmp_path: Path) -> None:
    place = tmp_path / "2025-Q3" / "22366"
    place.mkdir(parents=True)
    (place / "thon.csv").write_text("Tên thôn,Loại,Số hộ,Số khẩu\nThôn Mới,TDP,10,30\n", encoding="utf-8")
    before = house.query("select count(*), max(number) from intake.delivery, core.publish")
    told = house("run", "--dry-run", "--inbox", str(tmp_path), "--json").json
    assert [a["origin"] for a in told["answers"]] == ["2025-Q3/22366/thon.csv"]
    assert [d["village_name"] for d in told["difference"]["villages"] if d["change"] == "+"][:1] == ["Thôn Mới"]
    assert "Nothing was written" in house("run", "--dry-run", "--inbox", str(tmp_path)).out
    assert house.query("select count(*), max(number) from intake.delivery, core.publish") == before


def test_status_names_what_waits_with_the_command_for_it(house: House) -> None:
    held = house.one("held")
    said = house("status")
    assert said.code == 0
    assert f"decide {held} accept --reason" in said.out
    whole = house("--json", "status").json
    assert whole == house("status", "--json").json
    assert [h["submission_id"] for h in whole["held"]] == [held]
    assert [(r["state"], r["mended"]) for r in whole["rejected"]] == [("rejected", False)]
    assert {w["rule"] for w in whole["work"]} == {"NOT_A_NUMBER", "MISSING"}
    assert len(whole["ends_nobody"]) == 1
    assert whole["crosswalk"] == []


def test_status_board_has_all_who_are_asked(house: House) -> None:
    board = house("status", "--dataset", "villages", "--json").json
    assert board["periods"] == ["2025-Q4", "2026-Q1", "2026-Q2"]
    by_sender = {s["sender"]: s["cells"] for s in board["senders"]}
    assert len(by_sender) == 65
    assert by_sender["22333"] == {}
    held = next(s for s in house.truth.submissions if s.state == "held")
    assert by_sender[held.sender][held.period]["state"] == "held"
    assert "22366 Phường Nha Trang" in house("status", "--dataset", "villages").out
    assert house("status", "--dataset", "nothing").code == 2


def test_check_says_what_would_be_answered_and_writes_nothing(house: House) -> None:
    before = house.query("select count(*), max(number) from intake.delivery, core.publish")
    sound = next(s for s in house.truth.submissions if s.sender == "22736" and s.period == "2026-Q2")
    file = str(house.home / "inbox" / sound.path)
    said = house("check", file, "--sender", "22736", "--period", "2026-Q3", "--json")
    assert said.code == 0
    (answer,) = said.json["answers"]
    assert (answer["state"], answer["period"]) == ("accepted", "2026-Q3")
    assert {r["status"] for r in answer["not_checked"]} == {"not_checked"}
    bad = house("check", str(file_of(house, "word")), "--sender", "22366", "--period", "2026-Q3")
    assert bad.code == 1
    assert "Ô cần sửa" in bad.out
    assert "không phải là số" in bad.out
    assert "Chưa kiểm tra" in bad.out
    assert house.query("select count(*), max(number) from intake.delivery, core.publish") == before
    assert house("check", "nowhere.xlsx", "--sender", "22366", "--period", "2026-Q3").code == 2


def test_show_writes_the_workbook_that_goes_back(house: House, tmp_path: Path) -> None:
    name, file = house.one("held"), tmp_path / "tra_lai.xlsx"
    assert house("show", name, "--workbook", str(file)).code == 1
    (kept,) = (house.home / "returns").rglob(f"{name}.xlsx")
    assert file.read_bytes() == kept.read_bytes() and file.read_bytes().startswith(b"PK")
    again = house("show", name, "--workbook", str(file))
    assert again.code == 2 and "is there already" in again.err
    assert house("show", name, "--workbook", "-").code == 2


def test_show_takes_the_beginning_of_an_id(house: House) -> None:
    name = house.one("held")
    shown = house("show", name[:8].lower())
    assert shown.code == 1
    assert "Tạm giữ" in shown.out
    assert f"decide {name} refuse" in shown.out
    assert house("show", name, "--json").json["problems"][0]["code"] == "ENDS_TOO_MANY"
    wrong = house("show", "S", "--json")
    assert wrong.code == 2
    assert "several" in wrong.json["error"][0]
    assert house("show", "nonesuch").err.startswith("lienthong: there is no submission nonesuch")


def test_the_contracts_of_what_is_published(house: House, tmp_path: Path) -> None:
    listed = house("contracts", "published")
    assert listed.code == 0 and "mart_v1.villages" in listed.out
    said = house("contracts", "published", "villages")
    assert "id: mart_v1_villages" in said.out and "businessName: Tên thôn" in said.out
    assert "did you mean villages" in house("contracts", "published", "vilages").err
    every = house("contracts", "published", "--json").json["contracts"]
    assert house("contracts", "published", "--to", str(tmp_path / "c")).code == 0
    assert len(list((tmp_path / "c").glob("*.odcs.yaml"))) == len(every) > 60


# --- decisions ---


def test_decide_takes_effect_with_the_next_publish(house: House) -> None:
    name = house.one("held")
    assert house("decide", name, "accept", "--reason", "sáp nhập thôn", "--by", "An").code == 0
    assert house.one("held") == name
    published = house("publish", "--json")
    assert published.code == 0
    assert published.json["publish"] == 2
    assert house.query("select count(*) from intake.submission where state = 'held'") == [(0,)]
    assert house.query("select decided_by, reason from intake.decision") == [("An", "sáp nhập thôn")]


def test_a_period_is_planned_closed_listed_and_opened_again(house: House) -> None:
    planned = house("close", "--plan", "villages", "--json").json["open"]
    (last,) = [r for r in planned if r["period"] == "2026-Q2"]
    assert (last["expected"], last["held"], last["closes_on"]) == (65, 1, None)
    # of a file that could not be read nobody knows that it was a list of villages
    sent = {s.sender for s in house.truth.submissions if s.path.startswith("2026-Q2/") and s.state != "rejected"}
    assert (65 - last["missing"], sent & set(last["missing_first"])) == (len(sent), set())
    assert "villages" in house("close", "--plan").out
    refused = house("close", "villages", "2026-06", "--reason", "chốt", "--json")
    assert (refused.code, "is sent by the quarter" in refused.err) == (2, True)
    assert house("close", "villages").code == 2
    closed = house("close", "villages", "2026-Q2", "--reason", "chốt quý II", "--by", "An", "--json").json
    assert {k: closed[k] for k in ("dataset", "period", "missing")} == {
        "dataset": "villages", "period": "2026-Q2", "missing": last["missing"],
    }  # fmt: skip
    assert house("close", "villages", "2026-Q2", "--reason", "again").code == 2
    assert "chốt quý II" in house("closes").out
    again = house("reopen", "villages", "2026-Q2", "--reason", "gửi thiếu", "--json").json
    assert again == {
        "dataset": "villages",
        "period": "2026-Q2",
        "decision": "reopen",
        "held": 0,
        "takes_effect": "publish",
    }
    (row,) = house("closes", "--json").json["closes"]
    assert (row["times"], row["closed_at"], row["decided_by"]) == (1, None, None)


def test_a_decision_needs_a_reason_and_something_to_decide(house: House) -> None:
    assert house("decide", house.one("held"), "accept").code == 2
    assert house("decide", house.one("held"), "perhaps", "--reason", "x").code == 2
    refused = house("decide", house.one("rejected"), "accept", "--reason", "x")
    assert refused.code == 2
    assert "must send it again" in refused.err


def test_waive_names_a_rule_and_a_row(house: House) -> None:
    ((unreadable, row),) = house.query(
        "select u.submission_id, v.row from intake.submission u join staging.verdict v using (assessment_no) "
        "where v.rule = 'NOT_A_NUMBER'"
    )
    refused = house("waive", unreadable, "--rule", "NOT_A_NUMBER", "--row", str(row), "--reason", "x")
    assert (refused.code, "cannot be read" in refused.err) == (2, True)
    assert house("waive", unreadable, "--rule", "MISSING", "--row", str(row), "--reason", "x").code == 2


def test_a_waived_row_enters_with_the_next_publish(house: House) -> None:
    place = house.home / "inbox" / "2026-Q3" / "22366"
    place.mkdir(parents=True)
    (place / "lớn.csv").write_text(
        "Tên thôn,Số hộ,Số khẩu\nThôn Rất Đông,25000,90000\nThôn Vừa,90,300\n", encoding="utf-8"
    )
    assert house("run", "--direct").code == 1
    ((name, state),) = house.query("select submission_id, state from intake.submission where period = '2026-Q3'")
    if state == "held":
        assert house("decide", name, "accept", "--reason", "đúng").code == 0
    assert house("waive", name, "--rule", "households_bounds", "--row", "2", "--reason", "khu chung cư").code == 0
    assert house("show", name, "--json").json["rows"][0]["waived"] is True
    assert house("publish").code == 0
    assert house.query("select households from mart_v1.villages where village_name = 'Thôn Rất Đông'") == [(25000,)]
    assert house("withdraw", name, "--reason", "thử").code == 0
    assert house("publish").code == 0


def test_withdraw_once(house: House) -> None:
    name = house.one("held")
    assert house("withdraw", name, "--reason", "gửi nhầm", "--json").json["decision"] == "withdraw"
    assert house("publish").code == 0
    assert house.one("withdrawn") == name
    again = house("withdraw", name, "--reason", "gửi nhầm")
    assert (again.code, "withdrawn already" in again.err) == (2, True)


# --- replay, trace, publish ---


def test_replay_adds_an_assessment_and_changes_no_history(house: House) -> None:
    history = "select * from mart_v1.villages_history order by 1, 2, 3, valid_from"
    before = house.query(history)
    ((name, first),) = house.query(
        "select submission_id, assessment_no from intake.submission join staging.verdict using (assessment_no) "
        "where rule = 'NOT_A_NUMBER'"
    )
    assert house("replay", "--submission", name).code == 1
    ((second,),) = house.query(f"select assessment_no from intake.submission where submission_id = '{name}'")
    assert second > first
    assert house.query(history) == before
    assert house("replay", "--dataset", "nothing").code == 2


def test_trace_leads_to_the_cell_of_the_archived_file(house: House) -> None:
    version = next(v for v in house.truth.villages if v.commune_code == "22736")
    key = ["--key", "commune_code=22736", "--key", f"village_name={version.village_name}"]
    said = house("trace", "villages", *key, "--at", version.valid_from.isoformat(), "--json")
    assert said.code == 0
    (found,) = said.json["versions"]
    by_column = {c["column"]: c for c in found["columns"]}
    assert by_column["households"]["value"] == version.households
    assert by_column["households"]["cell"][1:] == str(found["sources"][0]["row"])
    assert "".join(ch for ch in by_column["households"]["raw"] if ch.isdigit()) == str(version.households)
    assert house("trace", "villages", "--id", str(found["entity_id"])).out.count("From 20") >= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing", "--id", "1"], "there is no dataset"),
        (["villages"], "--key commune_code=… --key village_name=…"),
        (["villages", "--key", "commune_code=22736"], "missing: village_name"),
        (["villages", "--key", "commune=22736"], "is found by"),
        (["villages", "--id", "1"], "no such entity"),
        (["villages", "--id", "1", "--known-at", "2020-01-01"], "nothing had been published"),
    ],
)
def test_trace_says_how_to_ask(house: House, arguments: list[str], said: str) -> None:
    done = house("trace", *arguments)
    assert done.code == 2
    assert said in done.err


def test_publish_back_to_and_forth(house: House) -> None:
    versions = "select count(*) from mart_v1.villages_history"
    before = house.query(versions)
    said = house("publish", "--back-to", "0")
    assert said.code == 0
    assert house.query(versions) == [(0,)]
    assert "publish --back-to 1" in said.out
    assert "shows publish 0 again" in house("status").out
    assert house("publish", "--back-to", "1").code == 0
    assert house.query(versions) == before
    assert house("publish", "--back-to", "77").code == 2
    told = house.query("select reason, details from ops.audit where action = 'back to' order by audit_id")
    assert told == [(f"publish --back-to {n}", {"publish": p, "shows": n}) for n, p in ((0, 2), (1, 3))]


# --- contracts, database ---


def test_contracts_lint_names_file_line_and_remedy(house: House, tmp_path: Path) -> None:
    assert house("contracts", "lint").code == 0
    bad = tmp_path / "villages.odcs.yaml"
    text = (builtin_folder() / "villages.odcs.yaml").read_text(encoding="utf-8")
    bad.write_text(text.replace("periodType, value: quarter", "periodType, value: weekly"), encoding="utf-8")
    found = house("contracts", "lint", str(bad))
    assert found.code == 1
    line = next(n for n, said in enumerate(text.splitlines(), 1) if "periodType" in said)
    assert f"{bad}:{line}:" in found.out
    assert "quarter" in found.out
    (finding,) = house("contracts", "lint", str(tmp_path), "--json").json["findings"]
    assert finding["line"] == line
    assert house("contracts", "lint", str(ROOT / "docs" / "decisions")).code == 2
    assert house("status", "--dataset", "villages", LIENTHONG_CONTRACTS=str(tmp_path)).code == 2


def test_contracts_dictionary(house: House, tmp_path: Path) -> None:
    assert "# Từ điển dữ liệu" in house("contracts", "dictionary").out
    assert {r["dataset"] for r in house("contracts", "dictionary", "--json").json} >= {"villages", "unit_changes"}
    target = tmp_path / "dictionary.md"
    assert house("contracts", "dictionary", "--output", str(target)).code == 0
    assert "village_name" in target.read_text(encoding="utf-8")
    assert house("contracts", "dictionary", "--output", str(tmp_path / "no" / "x.md")).code == 2
    page = tmp_path / "dictionary.html"
    assert house("contracts", "dictionary", "--language", "en", "--output", str(page)).code == 0
    text = page.read_text(encoding="utf-8")
    assert '<html lang="en">' in text
    assert "Statistics that are not what the dossiers" in text  # what the SQL of a rule says of itself
    assert house("contracts", "dictionary", "--language", "fr").code == 2


def test_db_url_is_the_last_line(house: House) -> None:
    said = house("db", "url")
    with psycopg.connect(said.out.splitlines()[-1]) as connection:
        assert connection.execute("select count(*) from mart_v1.villages_history").fetchone() != (0,)
    assert house("db", "migrate", "--json").json == {"migration": HEAD, "missing_roles": []}
    assert house("db", "stop", "--json").json == {"stopped": False}


def test_db_psql_passes_arguments_on_and_is_in_the_log(script: Script) -> None:
    last = "select 40 + 2, action from ops.audit order by audit_id desc limit 1"
    out, _ = script("db", "psql", "-A", "-t", "-c", last).communicate()
    assert out == "42|open psql\n"


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("LIENTHONG_DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/x", "check LIENTHONG_DATABASE_URL"),
        ("LIENTHONG_DATABASE_URL", "mysql://127.0.0.1/x", "must begin with postgresql://"),
        ("LIENTHONG_SETTLE_SECONDS", "soon", "must be a number of seconds"),
        ("LIENTHONG_CONTRACTS", "/nowhere", "not a folder"),
    ],
)
def test_what_cannot_run_says_so_in_a_line(house: House, name: str, value: str, remedy: str) -> None:
    for command in (["status"], ["run"]):
        done = house(*command, **{name: value})
        assert done.code == 2
        assert done.err.startswith("lienthong: ")
        assert done.err.count("\n") == 1
        assert remedy in done.err
        assert "secret" not in done.err
        told = house("--json", *command, **{name: value})
        assert remedy in told.json["error"][0]


# --- failures ---


def test_no_failure_shows_a_value_of_the_database(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    value = "056" + "190001234"
    with psycopg.connect(database_url) as connection:
        connection.execute("create table t (name text primary key)")
        connection.execute("insert into t values (%s)", [value])
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("insert into t values (%s)", [value])
    assert value in str(caught.value)
    show_traceback(caught.value)
    said = " ".join(explain(caught.value)) + capsys.readouterr().err
    assert "23505" in said
    assert value not in said


def test_exit_codes_of_interruption_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    def faulty() -> int:
        raise ZeroDivisionError("of something")

    state = cli.State(json=False, home=None, debug=False)
    assert cli._run(state, interrupted) == 130
    assert "stopped" in capsys.readouterr().err
    assert cli._run(state, faulty) == 2
    assert "Traceback" not in (said := capsys.readouterr().err)
    assert "unexpected ZeroDivisionError" in said
    assert cli._run(cli.State(json=False, home=None, debug=True), faulty) == 2
    assert "in faulty" in capsys.readouterr().err


# --- the process ---


def test_json_is_alone_on_standard_output(script: Script, house: House) -> None:
    process = script("show", house.one("held"), "--json")
    out, err = process.communicate()
    assert (process.returncode, err) == (1, "")
    assert json.loads(out)["state"] == "held"


def test_vietnamese_survives_a_locale_without_it(script: Script, tmp_path: Path) -> None:
    file = tmp_path / "Báo cáo thôn.csv"
    file.write_text("Tên thôn,Số hộ,Số khẩu\nĐồng Cát,2,3\n", encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    process = script("check", str(file), "--sender", "nobody", "--period", "2026-Q3", **plain)
    out, err = process.communicate()
    assert (process.returncode, err) == (1, "")
    assert "Từ chối: Báo cáo thôn.csv" in out


def test_a_closed_pipe_is_no_failure(script: Script) -> None:
    process = script("contracts", "dictionary")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate()
    assert (process.returncode, err) == (141, "")


def test_help_and_db_url_load_no_heavy_library(house: House) -> None:
    code = (
        "import sys; from pipelines.cli import app\n"
        "for arguments in (['--help'], ['db', 'url']):\n"
        "    app(arguments, standalone_mode=False)\n"
        "heavy = {'polars', 'pandas', 'dagster', 'great_expectations', 'sqlalchemy', 'openpyxl'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**house.environment}, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_linkage_train_writes_a_new_model_and_touches_none(house: House, tmp_path: Path) -> None:
    made = tmp_path / "person.v2.json"
    assert house("linkage", "train", "--name", "person.v2", "--people", "1000", "--output", str(made)).code == 0
    trained = json.loads(made.read_text(encoding="utf-8"))
    assert trained["model"] == "person.v2"
    assert trained["training"]["people"] == 1000
    assert "match_weight" in made.with_suffix(".sql").read_text(encoding="utf-8")
    assert house("linkage", "train", "--people", "1000", "--output", str(made)).code == 2


def test_version_and_help(house: House) -> None:
    assert house("--version").out.startswith("lienthong")
    assert house("-h").code == 0
    assert house("nothing").code == 2
