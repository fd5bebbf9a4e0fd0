"""``lienthong doctor``: nothing to say of what is well, and each finding made true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipelines import doctor
from pipelines.flow import Pipeline
from pipelines.settings import Settings

from .conftest import House, Ran, copied, new_database


@pytest.fixture(scope="module")
def looked_after(server_url: str, ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house in which all that belongs to routine was done just now."""
    name, first, _ = ran
    house = House(first.home, new_database(server_url, name)[1], first.truth)
    assert house("backup", str(tmp_path_factory.mktemp("backup") / "to")).code == 0 and house("due").code in (0, 1)
    # states are told by Dagster, which did not run here
    house.execute("update intake.submission set announced_state = state")
    return house


@pytest.fixture
def well(server_url: str, looked_after: House) -> Iterator[House]:
    """It with a database of the test's own."""
    with copied(server_url, looked_after) as house:
        yield house


def findings(house: House, *more: str, **environment: str) -> dict[str, list[str]]:
    done = house("doctor", "--json", *more, **environment)
    found: dict[str, list[str]] = {}
    for one in done.json["findings"]:
        assert one["check"] in done.json["checks"] and one["remedy"] and one["severity"] in ("error", "warning")
        found.setdefault(one["check"], []).append(one["text"])
    assert done.code == int(bool(found))
    return found


def test_of_what_is_well_there_is_nothing_to_say(well: House) -> None:
    assert findings(well) == {} == findings(well, "--deep")
    assert "All is well: folders, contracts, database" in well("doctor").out


_OPEN = "values (9999, 'open', 'publish', 0)"
_OLD = "now() - interval '3 days'"
_LOST = """alter table intake.submission drop constraint submission_check;
           update intake.submission set rows_read = rows_read + 1"""
BROKEN = [
    ("migrations", "update public.alembic_version set version_num = '0001'", "the database stands at migration 0001"),
    ("tables", "update ops.contract set shape = '{}' where dataset = 'villages'", "the tables of villages are not those"),
    ("ledger", f"update intake.delivery set state = 'received', recorded_at = {_OLD}", "deliveries have waited"),
    ("ledger", f"update intake.submission set announced_state = null, received_at = {_OLD}", "were told to nobody"),
    ("ledger", "update intake.submission set assessment_no = 999999 where assessment_no > 0", "an assessment that is not there"),
    ("ledger", _LOST, "submissions have lost rows"),
    ("publishes", f"insert into core.publish (number, state, kind, shows) {_OPEN}", "begun and not finished"),
    ("audit", "update ops.audit_head set number = 77", "the audit log was tampered with: the end of the chain"),
    ("audit", "update ops.audit_head set number = 77", "the audit log was tampered with: the end of the chain"),
    ("server", "grant execute on function pg_advisory_lock(bigint) to public", "any login may take the locks"),
    ("routine", f"update ops.backup set made_at = {_OLD}", "the newest backup is older than two days"),
    ("routine", "delete from ops.backup", "no backup was ever made"),
    ("routine", f"update ops.due_run set derived_at = {_OLD}", "was not looked at for a day"),
    ("declarations", "insert into ops.reminder_switch (sending, who, reason) values (true, 'x', 'x')", "have no contact"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "statement", "said"), BROKEN, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(BROKEN)])
def test_what_is_wrong_in_the_database_is_found(well: House, check: str, statement: str, said: str) -> None:
    well.execute(statement)
    found = findings(well)
    assert any(said in text for text in found[check]), found


def test_what_is_wrong_in_files_is_found(well: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = well.home
    keys = home / "keys"
    keys.chmod(0o644)
    assert findings(well)["folders"] == ["the key file keys can be read by others"]
    keys.chmod(0o600)
    away = keys.rename(tmp_path / "keys")
    assert "the key file is missing" in findings(well)["keys"][0]
    away.rename(keys)
    object_ = next(p for p in (home / "archive").rglob("*") if p.is_file())
    whole = object_.read_bytes()
    object_.write_bytes(whole[:-1])
    assert object_.name in findings(well, "--deep")["archive"][0]
    object_.write_bytes(whole)
    (home / "sources").mkdir()
    (home / "sources" / "x.yaml").write_text("sender: none\n", encoding="utf-8")
    (home / "contacts.csv").write_text("sender,email\n", encoding="utf-8")
    said = findings(well)["declarations"]
    assert any("x.yaml" in s for s in said) and any("contacts.csv, line 1" in s for s in said)
    (home / "sources" / "x.yaml").unlink()
    (home / "sources").rmdir()
    (home / "contacts.csv").unlink()
    assert "the inbox is not there" in findings(well, LIENTHONG_INBOX=str(tmp_path / "none"))["stores"]
    assert "the archive cannot be reached" in findings(well, LIENTHONG_ARCHIVE="sftp://127.0.0.1:1/x")["stores"][0]
    assert (
        "the database does not answer"
        in findings(well, LIENTHONG_DATABASE_URL="postgresql://127.0.0.1:1/x")["database"]
    )
    usage: Any = lambda path: type("Usage", (), {"free": 100 << 20})  # noqa: E731
    monkeypatch.setattr(doctor.shutil, "disk_usage", usage)
    assert findings(well)["folders"] == ["100 MiB are left on the disk of LIENTHONG_HOME"]


def test_a_check_that_cannot_run_hides_no_other(well: House) -> None:
    well.execute("drop table ops.due_run cascade; update ops.contract set shape = '{}' where dataset = 'villages'")
    found = findings(well)
    assert found["routine"] == ["the check could not run (UndefinedTable)"] and "tables" in found


def test_an_idle_transaction_and_a_clock_that_is_wrong(well: House) -> None:
    from datetime import UTC, datetime, timedelta

    pipeline = Pipeline(
        Settings(
            home=well.home, database_url=well.url, inbox=str(well.home / "inbox"), archive=str(well.home / "archive")
        )
    )
    found = doctor.examine(pipeline, datetime.now(UTC) + timedelta(minutes=5))
    assert "clocks of this machine" in found[0].text
    with psycopg.connect(well.url) as idle:
        idle.execute("select 1")
        assert doctor.examine(pipeline) == []  # not an hour old
