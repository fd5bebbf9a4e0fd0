"""The views that people and apps read: which there are, with which columns and for whom, as a snapshot.

A change of a published column is a change for somebody: it must show in a review and nowhere else. Renew it with::

    RENEW_SNAPSHOTS=1 python -m pytest tests/schemas/test_views.py

and read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from schemas import migrations
from schemas.contract import Column, Contract, builtin_folder, load_contracts
from schemas.feed import sync_feed
from schemas.migrate import migrate
from schemas.roles import APP, OFFICER, ROLES, STEWARD
from schemas.tables import ShapeRefused, combined, is_personal, shape, sync, sync_combined, view_statements, views

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).parent / "snapshots" / "views.json"
RENEW = bool(os.environ.get("RENEW_SNAPSHOTS"))
OWN = {"valid_from", "valid_to", "carried_since"}


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts([builtin_folder()])


@pytest.fixture
def connection(database_url: str, contracts: dict[str, Contract]) -> Iterator[psycopg.Connection]:
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as opened:
        for contract in contracts.values():
            with opened.transaction():
                sync(opened, contract)
        with opened.transaction():
            sync_combined(opened, contracts)
            sync_feed(opened, contracts)
        yield opened


def _found(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """View -> its columns with their types, and the roles that may read it."""
    rows = connection.execute(
        "select c.table_schema || '.' || c.table_name, c.column_name, c.data_type from information_schema.columns c "
        "join information_schema.views v using (table_schema, table_name) where table_schema in ('mart_v1', 'vault') "
        "order by 1, c.ordinal_position"
    ).fetchall()
    found: dict[str, dict[str, Any]] = {}
    for view, column, kind in rows:
        readers = connection.execute(
            "select array_agg(r order by r) filter (where has_table_privilege(r, %s, 'select')) from unnest(%s::text[]) r",
            [view, [APP, OFFICER, STEWARD]],
        ).fetchone()
        entry = found.setdefault(view, {"readers": readers and readers[0] or [], "columns": {}})
        entry["columns"][column] = kind
    return found


def test_views_are_as_they_were(connection: psycopg.Connection) -> None:
    found = _found(connection)
    if RENEW:
        SNAPSHOT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(SNAPSHOT.read_text(encoding="utf-8")), "RENEW_SNAPSHOTS=1 renews it; see above"


def test_no_view_shows_more_than_its_readers_may_see(
    connection: psycopg.Connection, contracts: dict[str, Contract]
) -> None:
    found = _found(connection)
    for contract in contracts.values():
        for kind, names in views(contract).items():
            for name in names:
                shown = set(found[name.replace('"', "")]["columns"]) - OWN - {contract.entity_id}
                for column in contract.columns:
                    if column.name in shown:
                        assert kind != "default" or column.classification in ("P0", "P1"), (name, column.name)
                        assert kind != "masked" or column.classification != "P3", (name, column.name)
        assert ("masked" in views(contract)) == is_personal(contract)
        if kind_clear := views(contract).get("clear"):
            assert {c.name for c in contract.columns} <= set(found[kind_clear[0].replace('"', "")]["columns"])


def test_syncing_again_and_after_a_change_keeps_grants(
    connection: psycopg.Connection, contracts: dict[str, Contract]
) -> None:
    before = _found(connection)
    connection.execute("update ops.contract set view_hash = 'another'")
    for contract in contracts.values():
        with connection.transaction():
            sync(connection, contract)
    assert _found(connection) == before


def test_views_over_several_datasets_survive_that_these_are_made_anew(
    connection: psycopg.Connection, contracts: dict[str, Contract]
) -> None:
    before = _found(connection)
    for name, (datasets, _) in combined().items():
        assert f"mart_v1.{name}" in before
        assert datasets <= set(contracts)
        for dataset in datasets:  # of persons no figure is shown to all
            assert not is_personal(contracts[dataset])
    connection.execute("update ops.contract set view_hash = 'another'")
    connection.execute("comment on view mart_v1.population_of_todays_units is 'another'")
    for _ in range(2):
        with connection.transaction():
            for contract in contracts.values():
                sync(connection, contract)
            sync_combined(connection, contracts)
    assert _found(connection) == before


def test_personal_views_hide_rows_from_a_reader_s_functions(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        for statement in view_statements(contract):
            default = (
                statement.startswith(("create or replace view mart_v1",))
                and "_masked" not in statement.split(" as ")[0]
            )
            assert default or "with (security_barrier) as" in statement


def test_columns_that_nothing_reads_leave_a_table_with_rows(
    connection: psycopg.Connection, contracts: dict[str, Contract]
) -> None:
    before, staff = _found(connection), contracts["staff"]
    gone = [Column(name, name, "string", "text") for name in ("rank", "political_theory")]
    # as they were before the migration: between other columns
    older = replace(staff, version="1.1.0", columns=(*staff.columns[:5], *gone, *staff.columns[5:]))
    with connection.transaction():
        for table in ("core.staff", "staging.staff"):
            for column in gone:
                connection.execute(f"alter table {table} add column {column.name} text")
        shapes = json.dumps(
            {c.name: "text" if c in gone else t for c, t in zip(older.columns, shape(older).values(), strict=True)}
        )
        connection.execute("update ops.contract set shape = %s, view_hash = '' where dataset = 'staff'", [shapes])
        sync(connection, older)
    connection.execute(
        "insert into core.staff (entity_id, valid_from, publish_from, value_hash, position, rank) "
        "values (1, '2026-01-01', 1, 0, 'Chuyên viên', '01.003')"
    )
    assert _found(connection) != before
    with pytest.raises(ShapeRefused), connection.transaction():
        sync(connection, staff)
    connection.execute("drop view mart_v1.own_staff, mart_v1.own_staff_history")  # there were none when it was written
    connection.execute((Path(migrations.__file__).parent / "0010_minimised.sql").read_text(encoding="utf-8").encode())
    with connection.transaction():
        sync(connection, staff)
    assert _found(connection) == before
    assert connection.execute("select position from core.staff").fetchall() == [("Chuyên viên",)]


def _as_user(url: str, user: str) -> str:
    return url.replace("postgres@", f"{user}@")


def test_a_user_who_may_make_no_roles_can_migrate_and_grant(
    server_url: str, database_url: str, contracts: dict[str, Contract]
) -> None:
    name = database_url.split("@/")[1].split("?")[0]
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute("drop role if exists lienthong_limited")
        admin.execute("create role lienthong_limited login")
        for role in ROLES:  # which an administrator has made
            if not admin.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                admin.execute(f"create role {role} nologin")  # type: ignore[call-overload]
        admin.execute(f"alter database {name} owner to lienthong_limited")  # type: ignore[call-overload]
    url = _as_user(database_url, "lienthong_limited")
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for contract in contracts.values():
            with connection.transaction():
                sync(connection, contract)
        with connection.transaction():
            sync_combined(connection, contracts)
            sync_feed(connection, contracts)
        assert _found(connection) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_databases_of_one_server_may_be_migrated_at_once(server_url: str) -> None:
    names = [f"roles_at_once_{n}" for n in range(4)]
    with psycopg.connect(server_url, autocommit=True) as admin:
        host = quote(admin.info.host, safe="/")
        for role in (APP, OFFICER, STEWARD):
            if not admin.execute("select 1 from pg_shdepend where refobjid = to_regrole(%s)", [role]).fetchone():
                admin.execute(f"drop role if exists {role}")  # type: ignore[call-overload]
        for name in names:
            admin.execute(f"create database {name}")  # type: ignore[call-overload]
    try:
        code = "import sys; from schemas.migrate import migrate; sys.exit(not migrate(sys.argv[1]))"
        started = [
            subprocess.Popen([sys.executable, "-c", code, f"postgresql://postgres@/{n}?host={host}"], cwd=ROOT)
            for n in names
        ]
        assert [process.wait() for process in started] == [0] * len(names)
    finally:
        with psycopg.connect(server_url, autocommit=True) as admin:
            for name in names:
                admin.execute(f"drop database {name} with (force)")  # type: ignore[call-overload]
