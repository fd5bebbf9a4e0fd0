"""Who sees what, tried with each role on the server: what it may, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from schemas.roles import APP, OFFICER, STEWARD
from tests.e2e.conftest import Make
from tests.e2e.flows import World, workbook

HEAD = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")
NUMBER = "056085001234"


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:
    world = make_world()
    sender = world.communes[0]
    person = (NUMBER, "Nguyễn  Văn An", "01/02/1985", "Nam", "Kế toán", "Văn phòng")
    world.drop(sender, workbook([HEAD, person]), "can_bo.xlsx")
    world.run()
    assert world.submissions(f"2026-Q2/{sender}/can_bo.xlsx")[-1]["state"] == "accepted"
    return world


def as_role(world: World, role: str, query: str) -> list[tuple[Any, ...]]:
    with world.connection() as connection:
        connection.execute(f"set role {role}")
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


def relations(world: World) -> list[str]:
    return [
        r[0]
        for r in world.rows(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'v', 'm', 'p', 'S', 'f') and n.nspname in "
            "('intake', 'staging', 'vault', 'core', 'mart_v1', 'ops', 'public')"
        )
    ]


INTERNAL = {"mart_v1.findings"}
"""What officers and stewards read, and apps do not."""
INDICATORS = (
    "indicators",
    "indicator_value",
    "indicator_missing",
    "indicator_path",
    "mandate_answers",
    "submission_log",
    "publishes",
)


def readable(world: World, role: str) -> set[str]:
    found = set()
    with world.connection() as connection:
        connection.execute(f"set role {role}")
        for name in relations(world):
            try:
                connection.execute(f"select * from {name} limit 1")  # type: ignore[call-overload]
                found.add(name)
            except psycopg.errors.InsufficientPrivilege:
                pass
    return found


def test_each_role_reads_its_views_and_nothing_else(world: World) -> None:
    every = set(relations(world))
    default = {n for n in every if n.startswith("mart_v1.") and "_masked" not in n and n not in INTERNAL}
    masked = {n for n in every if n.startswith("mart_v1.") and "_masked" in n}
    assert {"mart_v1.staff", "mart_v1.villages", "mart_v1.villages_history"} <= default
    assert {
        "mart_v1.staff_masked",
        "mart_v1.staff_masked_history",
    } <= masked and "mart_v1.villages_masked" not in masked
    known = {*world.pipeline.contracts, "successions", "population_of_todays_units", *INDICATORS}
    others = {
        n
        for n in default
        if n.split(".")[1].removesuffix("_history") not in known and not n.startswith("mart_v1.theme_")
    }
    assert readable(world, APP) == default - others
    assert readable(world, OFFICER) == (default - others) | masked | INTERNAL
    clear = {n for n in every if n.startswith("vault.") and n not in ("vault.key", "vault.object_key")}
    assert readable(world, STEWARD) == (default - others) | masked | INTERNAL | clear


@pytest.mark.parametrize("role", [APP, OFFICER, STEWARD])
def test_nobody_writes(role: str, world: World) -> None:
    with world.connection() as connection:
        connection.execute(f"set role {role}")
        for name in relations(world):
            for statement in (f"delete from {name}", f"truncate {name}"):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(statement)  # type: ignore[call-overload]
                assert refused.value.sqlstate in ("42501", "42809", "55000"), (name, refused.value)
        for schema in ("intake", "staging", "vault", "core", "mart_v1", "ops", "public"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"create table {schema}.x (a int)")  # type: ignore[call-overload]


def test_what_each_sees_of_a_person(world: World) -> None:
    app = as_role(world, APP, "select to_jsonb(s) from mart_v1.staff s")[0][0]
    assert app["position"] == "Kế toán" and not {"full_name", "date_of_birth", "citizen_id"} & set(app)
    assert NUMBER not in str(app) and "An" not in str(app)
    columns = "citizen_id, full_name, date_of_birth, gender, position"
    officer = as_role(world, OFFICER, f"select {columns} from mart_v1.staff_masked")
    assert officer == [("056******234", "N. V. A.", 1985, "***", "Kế toán")]
    steward = as_role(world, STEWARD, f"select {columns} from vault.staff")
    assert steward == [(NUMBER, "Nguyễn Văn An", date(1985, 2, 1), "NAM", "Kế toán")]
    ids = {as_role(world, STEWARD, f"select person_id from {v}")[0] for v in ("mart_v1.staff", "vault.staff")}
    assert len(ids) == 1


def test_views_show_the_publish_that_is_shown(world: World) -> None:
    world.execute("update core.pointer set shows = 0")
    try:
        for view in (
            "mart_v1.staff",
            "mart_v1.staff_masked",
            "mart_v1.staff_masked_history",
            "vault.staff",
            "vault.staff_history",
        ):
            assert as_role(world, STEWARD, f"select * from {view}") == []
    finally:
        world.execute(
            "update core.pointer set shows = (select max(number) from core.publish where state = 'published')"
        )


def test_a_reader_s_function_is_asked_about_no_hidden_row(world: World) -> None:
    world.execute("update core.pointer set shows = 0")
    try:
        with world.connection() as connection:
            connection.execute(f"set role {OFFICER}")
            connection.execute(
                "create function pg_temp.ask(v text) returns boolean language plpgsql cost 0.0000001 as "
                "$$ begin raise notice '%', v; return true; end $$"
            )
            told: list[str] = []
            connection.add_notice_handler(lambda d: told.append(str(d.message_primary)))
            connection.execute("select * from mart_v1.staff_masked_history where pg_temp.ask(full_name)")
            assert told == []
    finally:
        world.execute(
            "update core.pointer set shows = (select max(number) from core.publish where state = 'published')"
        )
