"""``lienthong access enforce`` as the timer runs it, and what ``audit verify`` says of readings."""

from __future__ import annotations

import shlex

import psycopg
import pytest

from tests.pipelines.test_deploy import DEPLOY, unit

from .conftest import House


def test_a_grant_that_ended_while_nothing_ran_is_taken_away_by_the_unit(house: House, login: str) -> None:
    (command,) = unit(DEPLOY / "lienthong-access.service")["Service"]["ExecStart"]
    program, *enforce = shlex.split(command)
    assert program.endswith("/lienthong")
    said = ("--purpose", "theo dõi", "--ground", "NĐ 278/2025/NĐ-CP", "--until", "2099-01-01")
    assert house("access", "grant", login, "app", *said).code == 2  # three years at most
    assert house("access", "grant", login, "app", *said[:-1], "2028-06-30").code == 0
    assert house(*enforce, "--json").json == {"changes": [], "done": True}
    # a week goes by with the daemon off
    with psycopg.connect(house.url, autocommit=True) as admin, admin.transaction():
        admin.execute("set local session_replication_role = replica")
        admin.execute("update ops.access set valid_until = now() - interval '7 days'")
    with psycopg.connect(house.url.replace("postgres@", f"{login}@"), autocommit=True) as app:
        assert app.execute("select count(*) from mart_v1.villages").fetchone() != (0,)
        told = house(*enforce, "--dry-run")
        assert (told.code, told.out) == (1, f"{login} would lose lienthong_app\n")
        assert app.execute("select count(*) from mart_v1.villages").fetchone() != (0,)
        (wrong,) = [f for f in house("doctor", "--json").json["findings"] if f["check"] == "access"]
        assert wrong["text"] == f"{login} still may read what no grant covers any more" and "enforce" in wrong["remedy"]
        change = {"login": login, "what": "lienthong_app", "given": False}
        assert house(*enforce, "--json").json == {"changes": [change], "done": True}
        with pytest.raises(psycopg.errors.AdminShutdown):  # the session that is open
            app.execute("select count(*) from mart_v1.villages")
    with (
        psycopg.connect(house.url.replace("postgres@", f"{login}@")) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("select count(*) from mart_v1.villages")
    again = house(*enforce)
    assert (again.code, again.out) == (0, "Every login has what its grants say.\n")
    # what was given by hand goes the same way
    house.execute(f"grant lienthong_officer to {login}")
    assert house(*enforce).out == f"{login} loses lienthong_officer\n"


def test_verify_tells_of_readings_that_left_no_line(house: House, login: str) -> None:
    until = "2028-06-30"
    given = house(
        "access", "grant", login, "steward", "--purpose", "đối chiếu", "--ground", "Luật 91", "--until", until
    )
    assert given.code == 0
    with psycopg.connect(house.url.replace("postgres@", f"{login}@"), autocommit=True) as steward:
        steward.execute("select vault.open('staff', 'phiếu 12/2026')")
        steward.execute("select * from vault.staff")
        assert house("audit", "verify", "--json").json["readings"] == [
            {"login": login, "readings": 1, "logged": 1, "gaps": []}
        ]
        for _ in range(2):
            with steward.transaction(force_rollback=True):
                steward.execute("select * from vault.staff")
        steward.execute("select * from vault.staff")
    found = house("audit", "verify")
    first, second, *_ = found.out.splitlines()
    assert found.code == 0
    assert first == f"{login}: 4 readings of the vault, 2 of them without a line: rolled back, or under way."
    assert second.strip().startswith("2 after 2") and " and before 2" in second
