"""Who sees what, tried with each role on the server: what it may, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from assets.core.audit import readings, verify
from assets.marts import access
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
    "public_indicator_value",
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
    # rows of one's own are for those who have some
    default -= {n for n in default if n.startswith("mart_v1.own_")}
    known = {
        "change_feed",
        "feed_position",
        "feed_datasets",
        *world.pipeline.contracts,
        "successions",
        "population_of_todays_units",
        *INDICATORS,
    }
    others = {
        n
        for n in default
        if n.split(".")[1].removesuffix("_history") not in known and not n.startswith("mart_v1.theme_")
    }
    assert readable(world, APP) == default - others
    assert readable(world, OFFICER) == (default - others) | masked | INTERNAL
    # the administrator, whose session this is, needs no ticket; a steward's login does, below
    clear = {n for n in every if n.startswith("vault.") and f"mart_v1.{n.split('.')[1]}" in default}
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
    assert NUMBER not in str(as_role(world, STEWARD, "select to_jsonb(s) from mart_v1.staff_masked s"))


@pytest.fixture(scope="module")
def login(world: World) -> Iterator[str]:
    """URL of a steward's own login."""
    name = f"binh_{os.getpid()}"  # a role belongs to the server
    world.execute(f"create role {name} login")
    with world.pipeline.connection() as connection:
        now = datetime.now(UTC)
        access.give(
            connection, world.pipeline.contracts, name, "steward", purpose="đối chiếu", ground="Luật 91/2025/QH15",
            until=now + timedelta(days=9), by="An", now=now,
        )  # fmt: skip
    yield world.url.replace("postgres@", f"{name}@")
    world.execute(f"drop owned by {name}")
    world.execute(f"drop role {name}")


def ask(
    connection: psycopg.Connection, dataset: str = "staff", purpose: str = "phiếu yêu cầu 12", minutes: int = 5
) -> None:
    connection.execute("select vault.open(%s, %s, %s)", [dataset, purpose, minutes])


def test_a_steward_reads_clear_values_with_a_ticket_that_is_in_the_log(world: World, login: str) -> None:
    columns = "citizen_id, full_name, date_of_birth, gender, position"
    with psycopg.connect(login, autocommit=True) as steward:
        for view in ("vault.staff", "vault.staff_history"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the vault is not open"):
                steward.execute(f"select {columns} from {view}")  # type: ignore[call-overload]
        # nothing is read in the transaction that asks: it could be rolled back, and with it the line in the log
        steward.execute("begin")
        ask(steward)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the vault is not open"):
            steward.execute("select * from vault.staff")
        steward.execute("rollback")
        assert world.rows("select count(*) from ops.audit where action = 'open vault'") == [(0,)]
        ask(steward)
        rows = steward.execute(f"select {columns} from vault.staff").fetchall()  # type: ignore[call-overload]
        assert rows == [(NUMBER, "Nguyễn Văn An", date(1985, 2, 1), "NAM", "Kế toán")]
        ids = {steward.execute(f"select person_id from {v}").fetchall()[0] for v in ("mart_v1.staff", "vault.staff")}  # type: ignore[call-overload]
        assert len(ids) == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the vault is not open"):
            steward.execute("select * from vault.assignments")  # another dataset is another purpose
        who = steward.info.user
    said = world.rows("select who, action, dataset, reason, details from ops.audit where action = 'open vault'")
    (ticket,) = world.rows("select max(ticket_id) from vault.ticket")[0]
    assert said == [(who, "open vault", "staff", "phiếu yêu cầu 12", {"minutes": 5, "ticket": ticket})]
    (line,) = world.rows(
        "select who, dataset, reason, details - 'process' from ops.audit where action = 'read vault' limit 1"
    )
    assert line == (who, "staff", f"ticket {ticket}", {"ticket": ticket, "reading": 1})
    with world.connection() as connection:
        assert verify(connection).faults == []
    world.execute("update vault.ticket set until = now()")
    with psycopg.connect(login) as steward, pytest.raises(psycopg.errors.InsufficientPrivilege, match="not open"):
        steward.execute("select * from vault.staff")


def tried(connection: psycopg.Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        if statement.startswith("copy"):
            with cursor.copy(statement) as copy:  # type: ignore[call-overload]
                list(copy)
        else:
            cursor.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "way",
    [
        "select * from vault.identifier",
        "select * from vault.ticket",
        "insert into vault.ticket (login, dataset, purpose, until) values (session_user, 'staff', 'vì', now() + interval '1 day')",
        "update vault.ticket set until = now() + interval '1 day'",
        "create function vault.opened(dataset text) returns boolean language sql as 'select true'",
        "copy (select * from vault.staff) to stdout",
        "copy vault.identifier to stdout",
        "set session authorization postgres",
        "select set_config('role', 'postgres', false)",
        "select lo_import('/etc/passwd')",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select pg_advisory_lock(hashtext('lienthong.contract'))",
        "select pg_try_advisory_xact_lock_shared(1, 2)",
        "select pg_read_file('PG_VERSION')",
        "select query_to_xml('select * from vault.identifier', true, true, '')",
        "do $$ begin execute 'select * from core.staff'; end $$",
        "alter view vault.staff set (security_barrier = false)",
        "insert into ops.audit (who, action, reason) values ('an', 'x', 'y')",
        "select * from ops.audit",
    ],
)
def test_no_way_round_it(login: str, way: str) -> None:
    with psycopg.connect(login, autocommit=True) as steward:
        steward.execute("create function pg_temp.opened(d text) returns boolean language sql as 'select true'")
        steward.execute(
            "create function pg_temp.pg_has_role(a name, b name, c text) returns boolean language sql as 'select true'"
        )
        steward.execute("set search_path = pg_temp, vault, mart_v1, pg_catalog")
        with pytest.raises(psycopg.Error) as refused:
            tried(steward, way)
        assert refused.value.sqlstate == "42501", refused.value
        assert NUMBER not in str(refused.value) and "Nguyễn" not in str(refused.value)


def test_statistics_and_errors_tell_nothing(world: World, login: str) -> None:
    world.execute("analyze")
    with psycopg.connect(login, autocommit=True) as steward:
        assert NUMBER not in str(steward.execute("select * from pg_stats").fetchall())
        steward.execute(
            "create function pg_temp.ask(a text, b text) returns boolean language plpgsql cost 0.0000001 as "
            "$$ begin raise notice '%', a; return true; end $$"
        )
        told: list[str] = []
        steward.add_notice_handler(lambda d: told.append(str(d.message_primary)))
        for query in (
            "select * from vault.staff where pg_temp.ask(full_name, 'x')",
            "select * from vault.staff where (1 / (length(full_name) - 13))::int = 1",
            "select * from vault.staff_history where full_name::integer = 1",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the vault is not open"):
                steward.execute(query)  # type: ignore[call-overload]
        assert told == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"dataset": "villages"}, "nothing of that dataset"),
        ({"dataset": "x'; drop table core.staff"}, "nothing of that dataset"),
        ({"minutes": 0}, "1 to 480 minutes"),
        ({"minutes": 481}, "1 to 480 minutes"),
        ({"purpose": " "}, "say what for"),
        ({"purpose": f"của {NUMBER}"}, "number as long as that of an identity card"),
        ({"purpose": "của 056 085-001.234"}, "number as long as that of an identity card"),
        ({"purpose": "phiếu 12\n48  An  erase"}, "one line"),
        ({"purpose": "phiếu \x1b[2J"}, "one line"),
        ({"purpose": "phiếu " * 100}, "one line"),
    ],
)
def test_what_the_vault_is_not_opened_for(login: str, wrong: dict[str, Any], words: str) -> None:
    with psycopg.connect(login, autocommit=True) as steward, pytest.raises(psycopg.Error, match=words):
        ask(steward, **wrong)


def test_who_is_no_steward_opens_nothing(world: World) -> None:
    for role in (APP, OFFICER):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema vault"):
            as_role(world, role, "select vault.open('staff', 'phiếu yêu cầu 12', 5)")


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


def lines(world: World) -> int:
    """Readings in the log."""
    return int(world.rows("select count(*) from ops.audit where action = 'read vault'")[0][0])


_CORRELATED = (
    "select u from generate_series(1, 50) u where exists (select from vault.staff s where s.person_id > u) "
    "and 1 = (select count(*) from vault.staff_history h where h.person_id <> u)"
)


@pytest.mark.parametrize(
    ("way", "written"),
    [
        ("select * from vault.staff", 1),
        ("select * from vault.staff where citizen_id = '056085001234'", 1),
        ("select count(*) from vault.staff where person_id = -1", 1),  # that there is nobody is told too
        (
            "select 1 from vault.staff a join vault.staff_history b using (person_id) join vault.staff c using (person_id)",
            1,
        ),
        (_CORRELATED, 1),
        (
            "select x.full_name from generate_series(1, 9) g, lateral (select * from vault.staff where person_id <> g) x",
            1,
        ),
        ("with a as materialized (select * from vault.staff) select * from a union all select * from vault.staff", 1),
        ("copy (select * from vault.staff) to stdout", 1),
        ("create temporary table _mine as select * from vault.staff", 1),
        ("explain select * from vault.staff", 0),
        ("explain (analyze) select * from vault.staff", 1),
        ("select * from mart_v1.staff_masked", 0),
        ("select full_name from vault.staff limit 0", 0),
        ("do $$ begin perform * from vault.staff; perform * from vault.staff; end $$", 1),
        ("select vault.opened('staff') from generate_series(1, 100)", 1),
    ],
)
def test_each_command_that_reads_the_vault_is_one_line(world: World, login: str, way: str, written: int) -> None:
    with psycopg.connect(login, autocommit=True) as steward:
        for name, value in (("max_parallel_workers_per_gather", "4"), ("debug_parallel_query", "on")):
            steward.execute(f"set {name} = {value}")  # type: ignore[call-overload]
        ask(steward)
        before = lines(world)
        tried(steward, way)
    assert lines(world) - before == written


def test_prepared_statements_and_cursors_are_told_each_time_they_read(world: World, login: str) -> None:
    with psycopg.connect(login, autocommit=True) as steward:
        ask(steward)
        before = lines(world)
        for _ in range(8):  # by a plan of its own, and by the one for all
            steward.execute("select * from vault.staff where person_id > %s", [0], prepare=True)
        assert lines(world) - before == 8
        with steward.transaction():
            steward.execute("declare c cursor for select * from vault.staff_history; ")
            for _ in range(3):
                steward.execute("fetch 1 from c")
        assert lines(world) - before == 9
        steward.execute("select 1 from vault.staff; select 2 from vault.staff")  # one message of the client
        assert lines(world) - before == 10
    with world.connection() as connection:
        assert verify(connection).faults == []


def test_a_reading_that_is_rolled_back_is_missed(world: World, login: str) -> None:
    def counted() -> tuple[int, int, int]:
        with world.connection() as connection:
            found = readings(connection)
        if not found:
            return 0, 0, 0
        (one,) = found
        assert psycopg.conninfo.conninfo_to_dict(login)["user"] == one["login"]
        missed = sum(g["missed"] for g in one["gaps"])
        assert one["readings"] - one["logged"] == missed
        return one["readings"], one["logged"], missed

    read, logged, missed = counted()
    with psycopg.connect(login, autocommit=True) as steward:
        ask(steward)
        with steward.transaction(force_rollback=True):
            assert len(steward.execute("select * from vault.staff").fetchall()) == 1
        assert counted() == (read + 1, logged, missed + 1)
        with steward.transaction():
            with steward.transaction(force_rollback=True):
                steward.execute("select * from vault.staff")
            steward.execute("select * from vault.staff")
        assert counted() == (read + 3, logged + 1, missed + 2)
        name = world.rows(
            "select format('%I.%I', schemaname, sequencename) from pg_sequences where sequencename ~ '^_reader_'"
        )[0][0]
        for way in (f"select setval('{name}', 1)", f"select nextval('{name}')", f"table {name}", "table vault.reader"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                steward.execute(way)  # type: ignore[call-overload]


_SLOW = (
    "create temp table mine (a int)",
    "create function pg_temp.slow() returns trigger language plpgsql as 'begin perform pg_sleep(3600); return null; end'",
    "create constraint trigger slow after insert on mine deferrable initially deferred "
    "for each row execute function pg_temp.slow()",
)
_BLOCK = "begin perform vault.open('staff', 'phiếu yêu cầu 12', 5); {} end"


@pytest.mark.parametrize(
    ("before", "way"),
    [
        ((), ("select vault.open('staff', 'phiếu yêu cầu 12', 5)", "set constraints all immediate")),
        ((), ("select * from vault.staff", "SET/**/CONSTRAINTS ALL IMMEDIATE")),
        ((), (f"do $$ {_BLOCK.format('execute $a$ set con$a$ || $a$straints all immediate $a$; perform pg_sleep(3600);')} $$",)),
        (_SLOW, ("select vault.open('staff', 'phiếu yêu cầu 12', 5)", "insert into mine values (1)", "commit")),
    ],
)  # fmt: skip
def test_a_steward_holds_nobody_up_who_writes_into_the_log(
    world: World, login: str, before: tuple[str, ...], way: tuple[str, ...]
) -> None:
    with psycopg.connect(login, autocommit=True) as steward:
        ask(steward)
        for statement in (*before, "begin", *way[:-1]):
            steward.execute(statement)  # type: ignore[call-overload]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="linked at the commit|deferred triggers"):
            steward.execute(way[-1])  # type: ignore[call-overload]
        # nothing is held by what was refused
        world.execute(
            "set lock_timeout = '5s'; insert into ops.audit (who, action, reason) values ('An', 'thử', 'khóa')"
        )
        steward.execute("rollback")
    with world.connection() as connection:
        assert verify(connection).faults == []


def test_a_steward_who_opens_first_holds_no_other_up(world: World, login: str) -> None:
    name = f"chi_{os.getpid()}"
    world.execute(f"create role {name} login")
    try:
        with world.pipeline.connection() as connection:
            now = datetime.now(UTC)
            access.give(
                connection, world.pipeline.contracts, name, "steward", purpose="đối chiếu", ground="Luật 91/2025/QH15",
                until=now + timedelta(days=9), by="An", now=now,
            )  # fmt: skip
        with psycopg.connect(world.url.replace("postgres@", f"{name}@")) as first:
            ask(first)  # and stays in its transaction
            locks = "select count(*) from pg_locks where locktype = 'advisory' and pid = %s"
            with world.connection() as connection:
                assert connection.execute(locks, [first.info.backend_pid]).fetchone() == (0,)
    finally:
        world.execute(f"drop owned by {name}")
        world.execute(f"drop role {name}")


def test_who_may_not_write_reads_nothing_and_is_told_what_to_do(world: World, login: str) -> None:
    with psycopg.connect(login, autocommit=True) as steward:
        ask(steward)
        before = lines(world)
        for start in ("begin read only", "begin; set transaction read only"):
            steward.execute(start)  # type: ignore[call-overload]
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="audit log") as refused:
                steward.execute("select * from vault.staff")
            assert "begin read write" in str(refused.value.diag.message_hint)
            steward.execute("rollback")
        steward.execute("set default_transaction_read_only = on")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            steward.execute("select * from vault.staff")
        assert steward.execute("select count(*) from mart_v1.staff_masked").fetchone() == (1,)
        assert lines(world) == before
