"""Who reads what, tried with logins of their own: roles by views by operations, rows of one's own, and ways round it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from assets.core.audit import verify
from assets.marts import feed
from assets.marts.access import LONGEST, Refused, give, grants, reconcile, take
from assets.marts.feed import Position
from schemas.roles import ROLES
from tests.e2e.conftest import Make
from tests.e2e.flows import World, villages, workbook
from tests.e2e.test_roles import tried

NOW = datetime.now(UTC)
STAFF = ("Số CCCD", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Đơn vị công tác")
NUMBERS = ("056085001234", "056085005678")
SCHEMAS = ("intake", "staging", "vault", "core", "mart_v1", "ops", "public")
OPERATIONS = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
UNITS = {"department": "KHONG_CO", "commune": "", "authenticator": None}


class Logins:
    """Logins of the test's own; roles belong to the server."""

    def __init__(self, world: World) -> None:
        self.world, self.made = world, []  # type: ignore[var-annotated]

    def new(self, name: str) -> str:
        login = f"{name}_{os.getpid()}"
        self.world.execute(f"create role {login} login")
        self.made.append(login)
        return login

    def granted(self, login: str, role: str, **more: Any) -> int:
        told = {
            "purpose": "ứng dụng của tỉnh",
            "ground": "NĐ 278/2025",
            "until": NOW + timedelta(days=30),
            "by": "An",
            "now": NOW,
        }
        pipeline = self.world.pipeline
        with pipeline.connection() as connection:
            return give(connection, pipeline.contracts, login, role, **{**told, **more})

    def __call__(self, login: str) -> psycopg.Connection:
        return psycopg.connect(self.world.url.replace("postgres@", f"{login}@"), autocommit=True)

    def close(self) -> None:
        for login in self.made:
            self.world.execute(f"drop owned by {login}")
            self.world.execute(f"drop role {login}")


@pytest.fixture(scope="module")
def world(make_world: Make) -> World:
    world = make_world()
    for commune, number, name in zip(world.communes[:2], NUMBERS, ("Nguyễn Văn An", "Trần Thị Bình"), strict=True):
        world.drop(
            commune, workbook([STAFF, (number, name, "01/02/1985", "Nam", "Kế toán", "Văn phòng")]), "can_bo.xlsx"
        )
        world.drop(commune, villages(("Thôn Một", 10, 40), ("Thôn Hai", 20, 80)))
    world.run()
    assert {r[0] for r in world.rows("select commune_code from mart_v1.villages")} == set(world.communes[:2])
    return world


@pytest.fixture(scope="module")
def logins(world: World) -> Iterator[Logins]:
    made = Logins(world)
    yield made
    made.close()


@pytest.fixture(scope="module")
def commune(logins: Logins, world: World) -> str:
    login = logins.new("xa")
    logins.granted(login, "commune", unit=world.communes[0])
    return login


def relations(world: World) -> list[tuple[str, str, str]]:
    """(schema, name, kind) of all that could be read or written."""
    return world.rows(
        "select n.nspname, c.relname, c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'v', 'm', 'p', 'S', 'f') and n.nspname = any (%s) order by 1, 2",
        [list(SCHEMAS)],
    )  # type: ignore[return-value]


def expected(world: World, role: str, schema: str, name: str) -> bool:
    """What a role reads, said another way than the code says it: by names."""
    datasets = set(world.pipeline.contracts)
    plain = name.removesuffix("_history")
    open_ = schema == "mart_v1" and name in ("indicators", "publishes", "public_indicator_value")
    aggregate = open_ or (
        schema == "mart_v1"
        and (
            name.startswith("theme_")
            or name
            in ("indicator_value", "indicator_path", "mandate_answers", "successions", "population_of_todays_units")
        )
    )
    senders = schema == "mart_v1" and name in ("indicator_missing", "submission_log")
    # the feed has the rows of all units; where it ends everybody knows who follows some of it
    default = schema == "mart_v1" and (plain in datasets or name in ("change_feed", "feed_datasets"))
    senders = senders or (schema, name) == ("mart_v1", "feed_position")
    masked = schema == "mart_v1" and plain.removesuffix("_masked") in datasets and "_masked" in name
    own = schema == "mart_v1" and name.startswith("own_")
    findings = (schema, name) == ("mart_v1", "findings")
    clear = schema == "vault" and plain in datasets
    ledger = (schema, name) in {
        *(
            ("intake", n)
            for n in ("delivery", "submission", "assessment", "state", "decision", "filed_decision", "closing")
        ),
        *(("core", n) for n in ("publish", "pointer", "standing", "sender", "unit", "calendar")),
        *(("ops", n) for n in ("contract", "due", "due_run", "close", "source_state", "source_pull", "backup")),
    }
    audited = (schema, name) in {
        *(("ops", n) for n in ("audit", "audit_link", "audit_head", "access", "erasure")),
        ("intake", "decision"), ("intake", "filed_decision"), ("intake", "closing"),
    }  # fmt: skip
    return {
        "public": open_, "app": aggregate or senders or default, "department": aggregate or senders or own,
        "commune": aggregate or senders or own, "officer": aggregate or senders or default or masked or findings,
        "steward": aggregate or senders or default or masked or findings or clear, "engineer": ledger, "auditor": audited,
    }[role]  # fmt: skip


@pytest.mark.parametrize("role", [name.removeprefix("lienthong_") for name in ROLES])
def test_the_matrix_of_roles_views_and_operations(role: str, world: World, logins: Logins) -> None:
    login = logins.new(f"m_{role}")
    # an organisation that nobody sent: rows of nobody
    if role == "department":
        world.execute(
            "insert into ops.access (login, role, unit, purpose, legal_ground, valid_until, granted_by) "
            "values (%s, 'department', 'KHONG_CO', 'x', 'y', now() + interval '1 day', 'An')",
            [login],
        )
    else:
        logins.granted(login, role, **({"unit": world.communes[1]} if role == "commune" else {}))
    with world.pipeline.connection():
        pass  # brings the server in step
    wrong = []
    with logins(login) as connection:
        for schema, name, kind in relations(world):
            for operation in OPERATIONS if kind != "S" else ("select", "update"):
                row = connection.execute(
                    f"select has_schema_privilege(%(s)s, 'usage') and has_{'sequence' if kind == 'S' else 'table'}_privilege"
                    "(format('%%I.%%I', %(s)s::text, %(n)s::text), %(o)s)",
                    {"s": schema, "n": name, "o": operation},
                ).fetchone()
                may = operation == "select" and kind != "S" and expected(world, role, schema, name)
                if row != (may,):
                    wrong.append((schema, name, operation, row))
            # and tried: what may be read is read, what may not is refused by the privilege and by nothing else
            if kind != "S":
                try:
                    connection.execute(sql.SQL("select * from {} limit 1").format(sql.Identifier(schema, name)))
                    tried = True
                except psycopg.errors.InsufficientPrivilege as refused:
                    tried = "the vault is not open" in str(refused)  # readable, with a ticket
                if tried != expected(world, role, schema, name):
                    wrong.append((schema, name, "tried", tried))
        functions = {
            name: connection.execute(
                "select has_function_privilege(format('mart_v1.%%I(text, bigint)', %s::text), 'execute')", [name]
            ).fetchone()
            for name in ("feed_snapshot", "own_feed_snapshot")
            if expected(world, role, "mart_v1", "publishes")  # others have no use of the schema
        }
        assert functions == {
            name: (expected(world, role, "mart_v1", name.replace("snapshot", "datasets")),) for name in functions
        }
        for schema in SCHEMAS:
            assert connection.execute("select has_schema_privilege(%s, 'create')", [schema]).fetchone() == (False,)
        assert connection.execute(
            "select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = session_user"
        ).fetchone() == (False,)
    assert wrong == []


def test_who_was_granted_nothing_reads_nothing(world: World, logins: Logins) -> None:
    with logins(logins.new("ai_do")) as connection:
        for schema, name, kind in relations(world):
            if kind != "S":
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(sql.SQL("select * from {} limit 1").format(sql.Identifier(schema, name)))


def rows(connection: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


def test_a_commune_reads_its_own_rows_and_persons_masked(world: World, logins: Logins, commune: str) -> None:
    with logins(commune) as connection:
        for view in ("own_villages", "own_villages_history", "own_staff", "own_staff_history"):
            codes = {r[0] for r in rows(connection, f"select commune_code from mart_v1.{view}")}
            assert codes == {world.communes[0]}, view
        assert rows(connection, "select full_name, citizen_id from mart_v1.own_staff") == [("N. V. A.", "056******234")]
        # what it may see is what an officer sees of the same rows
        mine = rows(connection, "select to_jsonb(v) from mart_v1.own_villages v order by 1")
    others = world.rows(
        "select to_jsonb(v) from mart_v1.villages v where commune_code = %s order by 1", [world.communes[0]]
    )
    assert mine == others != []


@pytest.mark.parametrize(
    "way",
    [
        "set lienthong.unit = '{other}'",
        "select set_config('lienthong.unit', '{other}', false)",
        'set request.jwt.claims = \'{{"unit": "{other}"}}\'',
        "set search_path = pg_temp, mart_v1, ops, core",
        "create function pg_temp.own_units() returns text[] language sql as $$ select array['{other}'] $$",
        "prepare p as select * from mart_v1.own_villages",
    ],
)
def test_nothing_that_a_commune_sets_shows_it_another(way: str, world: World, logins: Logins, commune: str) -> None:
    with logins(commune) as connection:
        connection.execute(way.format(other=world.communes[1]))  # type: ignore[call-overload]
        connection.execute("set search_path = pg_temp, mart_v1, ops, core, pg_catalog")
        seen = rows(
            connection,
            "select commune_code from mart_v1.own_villages union all select commune_code from mart_v1.own_staff",
        )
        assert {r[0] for r in seen} == {world.communes[0]}


@pytest.mark.parametrize(
    "way",
    [
        "set role lienthong_officer",
        "set role lienthong_department",
        "set session authorization postgres",
        "select * from mart_v1.villages",
        "select * from mart_v1.staff_masked",
        "select * from core.villages",
        "table staging.villages_rows",
        "copy mart_v1.villages to stdout",
        "copy (select * from core.staff) to stdout",
        "create or replace view mart_v1.own_villages as select * from core.villages",
        "alter view mart_v1.own_villages reset (security_barrier)",
        "create function ops.own_units() returns text[] language sql as 'select null'",
        "select vault.opened('staff')",
        "select * from mart_v1.change_feed",
        "select * from mart_v1.feed_snapshot('villages', 1)",
        "select * from core.change_owner",
        "select * from core.villages_at(1)",
        "create or replace view mart_v1.own_change_feed as select * from core.change",
        "alter view mart_v1.own_change_feed reset (security_barrier)",
        "create function ops.own_datasets() returns text[] language sql as 'select null'",
        "select lo_import('/etc/passwd')",
        "select pg_ls_dir('.')",
        "select pg_read_file('PG_VERSION')",
        "select query_to_xml('select * from core.villages', true, true, '')",
        "update ops.access set unit = 'x'",
        "insert into ops.access (login, role, unit, purpose, legal_ground, valid_until, granted_by) "
        "values (session_user, 'commune', '{other}', 'x', 'x', now() + interval '1 day', 'x')",
    ],
)
def test_a_way_round_is_refused_and_tells_nothing(way: str, world: World, logins: Logins, commune: str) -> None:
    with logins(commune) as connection, pytest.raises(psycopg.Error) as refused:
        tried(connection, way.format(other=world.communes[1]))
    assert refused.value.sqlstate == "42501", refused.value
    assert not any(secret in str(refused.value) for secret in (*NUMBERS, "Nguyễn", "Trần"))


def test_a_function_of_the_reader_is_asked_about_no_row_of_another(world: World, logins: Logins, commune: str) -> None:
    world.execute("analyze")
    with logins(commune) as connection:
        told: list[str] = []
        connection.add_notice_handler(lambda d: told.append(str(d.message_primary)))
        connection.execute(
            "create function pg_temp.ask(a text) returns boolean language plpgsql cost 0.0000001 as "
            "$$ begin raise notice '%', a; return true; end $$"
        )
        rows(connection, "select 1 from mart_v1.own_staff_history where pg_temp.ask(commune_code || full_name)")
        assert told == [f"{world.communes[0]}N. V. A."]
        # an error that only another's row could bring about does not come
        rows(connection, f"select 1 / (commune_code <> '{world.communes[1]}')::int from mart_v1.own_villages")
        # nor do statistics or estimates know of them
        assert rows(connection, "select * from pg_stats where schemaname in ('core', 'staging', 'vault')") == []
        plans = [
            rows(connection, f"explain (format json) select * from mart_v1.own_villages where village_name = '{name}'")[
                0
            ][0][0]["Plan"]["Plan Rows"]
            for name in ("Thôn Một", "Không có đâu")
        ]
        assert plans[0] == plans[1]


def test_a_function_of_the_public_is_asked_about_no_figure_that_is_not_public(world: World, logins: Logins) -> None:
    login = logins.new("ai_cung_doc")
    logins.granted(login, "public")
    query = "select distinct indicator from mart_v1.public_indicator_value"
    other = world.rows(f"select distinct indicator from mart_v1.indicator_value except {query}")
    assert other  # otherwise nothing could be told
    with logins(login) as connection:
        told: set[str] = set()
        connection.add_notice_handler(lambda d: told.add(str(d.message_primary)))
        # cheaper than the view's own conditions, and so asked before them where nothing forbids it
        connection.execute(
            "create function pg_temp.ask(a text, b numeric) returns boolean language plpgsql cost 0.0000001 as "
            "$$ begin raise notice '%', a; return true; end $$"
        )
        for way in ("on", "off"):
            connection.execute(f"set enable_indexscan = {way}; set enable_bitmapscan = {way}")  # type: ignore[call-overload]
            rows(connection, "select 1 from mart_v1.public_indicator_value where pg_temp.ask(indicator, value)")
        assert told == {r[0] for r in rows(connection, query)} != set()


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_who_became_a_role_before_it_was_taken_away_reads_no_more(how: str, world: World, logins: Logins) -> None:
    login = logins.new(f"da_doi_vai_{how}")
    number = logins.granted(login, "app", until=NOW + timedelta(days=5))
    contracts = world.pipeline.contracts
    with logins(login) as reader, world.pipeline.connection() as connection:
        reader.execute("set role lienthong_app")
        assert len(rows(reader, "select * from mart_v1.villages")) == 4
        with connection.transaction(force_rollback=True):  # what is only asked about ends nobody
            assert reconcile(connection, contracts, NOW + timedelta(days=6))
        assert len(rows(reader, "select * from mart_v1.villages")) == 4
        if how == "revoked":
            take(connection, contracts, number, reason="thôi dùng", by="An", now=NOW)
        else:
            with world.connection() as admin, admin.transaction():
                admin.execute("set local session_replication_role = replica")
                admin.execute("update ops.access set valid_until = now() where login = %s", [login])
            reconcile(connection, contracts, datetime.now(UTC))
        with pytest.raises(psycopg.errors.AdminShutdown):
            rows(reader, "select * from mart_v1.villages")


def feed_of(connection: psycopg.Connection, dataset: str) -> list[dict[str, Any]]:
    """What a feed of one's own has of a dataset from the beginning on, which must be what its snapshot has."""
    position = Position(feed.position(connection).feed, 0)
    page = feed.changes(connection, position, datasets=[dataset], own=True)
    with feed.snapshot(connection, [dataset], own=True) as (_, found):
        whole = [row.data for row in found]
    copy = feed.Copy(position)
    copy.apply(page)
    told = [row.data for row in copy.rows(dataset)]
    assert sorted(map(str, told)) == sorted(map(str, whole))
    return told


def test_who_has_rows_of_its_own_follows_these(world: World, logins: Logins, commune: str) -> None:
    with logins(commune) as connection:
        for dataset in ("villages", "staff"):
            assert {row["commune_code"] for row in feed_of(connection, dataset)} == {world.communes[0]}
        assert not {"full_name", "citizen_id", "date_of_birth"} & set(feed_of(connection, "staff")[0])
        known = {r[0] for r in rows(connection, "select dataset from mart_v1.own_feed_datasets")}
        assert {"villages", "staff"} <= known and "organizations" not in known
        with pytest.raises(psycopg.Error, match="nothing of that name is in the feed"):
            rows(connection, "select * from mart_v1.own_feed_snapshot('organizations', 1)")
        # nothing that it sets or defines shows it another's, nor is a function of its own asked about one
        told: list[str] = []
        connection.add_notice_handler(lambda d: told.append(str(d.message_primary)))
        connection.execute(
            "create function pg_temp.ask(a text) returns boolean language plpgsql cost 0.0000001 as "
            "$$ begin raise notice '%', a; return true; end $$"
        )
        connection.execute(f"set lienthong.unit = '{world.communes[1]}'")  # type: ignore[call-overload]
        connection.execute("set search_path = pg_temp, mart_v1, ops, core, pg_catalog")
        rows(connection, "select 1 from mart_v1.own_change_feed where pg_temp.ask(data ->> 'commune_code')")
        assert told and set(told) == {world.communes[0]}
        query = f"select 1 / (data ->> 'commune_code' <> '{world.communes[1]}')::int from mart_v1.own_change_feed"
        rows(connection, query)


def test_one_dataset_is_followed_by_who_was_granted_it(world: World, logins: Logins) -> None:
    login = logins.new("mot_bo_theo")
    number = logins.granted(login, "officer", dataset="villages")
    logins.granted(login, "authenticator")
    with logins(login) as connection:
        assert {row["commune_code"] for row in feed_of(connection, "villages")} == set(world.communes[:2])
        assert rows(connection, "select dataset from mart_v1.own_feed_datasets") == [("villages",)]
        for query in (
            "select * from mart_v1.change_feed",
            "select * from mart_v1.feed_snapshot('villages', 1)",
            "select * from core.change_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                rows(connection, query)
        # whom it speaks for has no part in what it was granted itself
        with connection.transaction():
            connection.execute("set local role lienthong_commune")
            assert rows(connection, "select * from mart_v1.own_change_feed") == []
            connection.execute("select set_config('lienthong.unit', %s, true)", [world.communes[1]])
            seen = rows(connection, "select distinct data ->> 'commune_code' from mart_v1.own_change_feed")
            assert seen == [(world.communes[1],)]
        with world.connection() as admin:
            take(admin, world.pipeline.contracts, number, reason="thôi dùng", by="An", now=NOW)
            assert reconcile(admin, world.pipeline.contracts, NOW).changes == ()
        assert rows(connection, "select * from mart_v1.own_change_feed") == []
        assert rows(connection, "select * from mart_v1.own_feed_datasets") == []


def test_who_has_nothing_any_more_is_told_by_the_reader(world: World, logins: Logins) -> None:
    login = logins.new("xa_het_han")
    logins.granted(login, "commune", unit=world.communes[0])
    with world.connection() as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("update ops.access set valid_until = now() where login = %s", [login])
    with logins(login) as connection, pytest.raises(feed.CannotFollow, match="granted no rows of its own"):
        feed.changes(connection, feed.position(connection), own=True)


def test_a_setting_speaks_for_others_only_where_the_login_may(world: World, logins: Logins) -> None:
    login = logins.new("postgrest")
    logins.granted(login, "authenticator")
    with logins(login) as connection:
        connection.execute("set role lienthong_commune")
        assert rows(connection, "select * from mart_v1.own_villages") == []  # nobody is named
        for code in (*world.communes[:2], ""):
            with connection.transaction():
                connection.execute("select set_config('lienthong.unit', %s, true)", [code])
                seen = {r[0] for r in rows(connection, "select commune_code from mart_v1.own_villages")}
                assert seen == ({code} if code else set())
        assert rows(connection, "select * from mart_v1.own_villages") == []


def test_it_ends_at_its_time_and_when_it_is_revoked(world: World, logins: Logins) -> None:
    app, own = logins.new("app"), logins.new("xa_khac")
    logins.granted(app, "app", until=NOW + timedelta(days=5))
    number = logins.granted(own, "commune", unit=world.communes[1])
    with logins(app) as connection:
        assert len(rows(connection, "select * from mart_v1.villages")) == 4
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        done = reconcile(connection, pipeline.contracts, NOW + timedelta(days=6))
        assert ("-", app, "lienthong_app") in done.changes
    with logins(app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(connection, "select * from mart_v1.villages")
    with logins(own) as reader:  # a session that is open
        assert len(rows(reader, "select * from mart_v1.own_villages")) == 2
        with world.connection() as connection:
            take(connection, pipeline.contracts, number, reason="thôi dùng", by="An", now=NOW)
            with pytest.raises(Refused, match="no grant"):
                take(connection, pipeline.contracts, number, reason="thôi dùng", by="An", now=NOW)
        with pytest.raises(psycopg.errors.AdminShutdown):
            rows(reader, "select * from mart_v1.own_villages")
    with logins(own) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(reader, "select * from mart_v1.own_villages")
    # a row of one's own ends by itself, before anybody brings the server in step
    late = logins.new("het_han")
    logins.granted(late, "commune", unit=world.communes[0])
    with world.connection() as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("update ops.access set valid_until = now() where login = %s", [late])
    with logins(late) as reader:
        assert rows(reader, "select * from mart_v1.own_villages") == []


def test_one_dataset_of_a_role_and_views_that_are_made_anew(world: World, logins: Logins) -> None:
    login = logins.new("mot_bo")
    logins.granted(login, "app", dataset="villages")
    world.execute(
        "drop view mart_v1.own_villages, mart_v1.own_villages_history, mart_v1.villages, mart_v1.villages_history cascade"
    )
    world.execute("update ops.contract set view_hash = '' where dataset = 'villages'")
    with world.pipeline.connection():
        pass
    with logins(login) as connection:
        assert len(rows(connection, "select * from mart_v1.villages")) == 4
        for other in ("mart_v1.staff", "mart_v1.indicator_value", "mart_v1.own_villages"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                rows(connection, f"select * from {other}")
    # what somebody gave by hand beyond the grant is taken away
    world.execute(f"grant select on core.staff to {login}")
    world.execute(f"grant lienthong_steward to {login}")
    with world.pipeline.connection() as connection:
        assert reconcile(connection, world.pipeline.contracts, datetime.now(UTC)).changes == ()
    with logins(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(connection, "select * from core.staff")


@pytest.mark.parametrize(
    ("role", "more", "words"),
    [
        ("king", {}, "there is no role king"),
        ("app", {"purpose": " "}, "needs a purpose"),
        ("app", {"ground": ""}, "needs its legal ground"),
        ("app", {"until": NOW}, "in the future and within three years"),
        ("app", {"until": NOW + LONGEST + timedelta(days=1)}, "within three years"),
        ("commune", {}, "--unit says whose rows"),
        ("commune", {"unit": "99999"}, "there is no commune 99999"),
        ("department", {"unit": "X"}, "there is no organisation X"),
        ("app", {"unit": "22366"}, "for these only"),
        ("commune", {"unit": "22366", "dataset": "villages"}, "one dataset can be granted of"),
        ("app", {"dataset": "nothing"}, "there is no dataset nothing"),
    ],
)
def test_what_is_not_granted_says_why(
    role: str, more: dict[str, Any], words: str, logins: Logins, commune: str
) -> None:
    with pytest.raises(Refused, match=words):
        logins.granted(commune, role, **more)


def test_nobody_is_granted_who_is_not_there_or_may_everything(world: World, logins: Logins) -> None:
    with pytest.raises(Refused, match='create role "nobody" login'):
        logins.granted("nobody", "app")
    with pytest.raises(Refused, match="may do everything"):
        logins.granted("postgres", "app")
    hostile = 'x"; drop table core.staff; --'
    with pytest.raises(Refused, match="there is no login"):
        logins.granted(hostile, "app")


def test_every_grant_is_in_the_log_and_none_can_be_changed(world: World, logins: Logins) -> None:
    login = logins.new("ghi_lai")
    number = logins.granted(login, "officer", dataset="staff")
    with world.connection() as connection:
        take(connection, world.pipeline.contracts, number, reason="xong việc", by="Bình", now=NOW)
        for statement in ("update ops.access set valid_until = now() + interval '9 years'", "delete from ops.access"):
            with pytest.raises(psycopg.Error, match="append-only"):
                connection.execute(statement)  # type: ignore[call-overload]
        assert verify(connection).faults == []
        (one,) = grants(connection, NOW, login=login, everything=True)
        assert (one["state"], one["revoked_by"], one["dataset"]) == ("revoked", "Bình", "staff")
        assert grants(connection, NOW, login=login) == []
    said = world.rows(
        "select who, action, dataset, reason from ops.audit where details ->> 'login' = %s order by audit_id", [login]
    )
    assert said == [("An", "grant", "staff", "ứng dụng của tỉnh"), ("Bình", "revoke", "staff", "xong việc")]


def test_a_member_that_nobody_granted_is_listed(world: World, logins: Logins) -> None:
    login = logins.new("tay")
    world.execute(f"grant lienthong_officer to {login}")
    with world.connection() as connection:
        assert [(r["login"], r["role"], r["state"]) for r in grants(connection, NOW, login=login)] == [
            (login, "officer", "unmanaged")
        ]
