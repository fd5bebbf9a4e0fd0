"""The audit log as a chain: whatever is done to it is told, also by who may switch the triggers off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.core.audit import BadLink, entries, verify
from assets.core.person import audit
from schemas.contract import builtin_folder, load_contracts
from schemas.migrate import migrate, sqlalchemy_url
from schemas.tables import _rows_view, statements


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as found:
        yield found


def write(connection: psycopg.Connection, many: int = 5) -> None:
    for n in range(many):
        audit(connection, by="An", action="find", reason=f"phiếu {n}", details={"n": n, "b": [1.50, None, "Đ"]})


def codes(connection: psycopg.Connection, expected: str | None = None) -> list[str]:
    return [f.code for f in verify(connection, expected).faults]


def unguarded(connection: psycopg.Connection, statement: str) -> None:
    """As an administrator may: with every trigger switched off."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute(statement)  # type: ignore[call-overload]


def test_what_is_written_is_linked_in_the_order_of_commits(connection: psycopg.Connection) -> None:
    assert verify(connection).rows == 0
    write(connection)
    with connection.transaction(force_rollback=True):  # it leaves no gap
        write(connection, 2)
    write(connection)
    found = verify(connection)
    assert (found.rows, found.faults, found.head.split(":")[0]) == (10, [], "10")
    assert [e["number"] for e in entries(connection, limit=3)] == [10, 9, 8]
    assert verify(connection, found.head).faults == []


def test_who_writes_at_once_waits_at_the_commit_only_and_the_chain_is_whole(
    database_url: str, connection: psycopg.Connection
) -> None:
    def many() -> None:
        with psycopg.connect(database_url, autocommit=True) as own:
            for _ in range(20):
                with own.transaction():
                    write(own, 2)

    with psycopg.connect(database_url) as slow:
        write(slow, 1)  # written and not committed: it stops nobody
        threads = [threading.Thread(target=many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(t.is_alive() for t in threads)
    found = verify(connection)
    assert (found.rows, found.faults) == (161, [])


def test_the_lines_of_one_transaction_are_linked_at_once(connection: psycopg.Connection) -> None:
    updated = "select n_tup_upd from pg_stat_xact_user_tables where relid = 'ops.audit_head'::regclass"
    with connection.transaction():
        write(connection, 30)
        with connection.transaction():  # a savepoint has a number of its own
            write(connection, 2)
        with connection.transaction(force_rollback=True):
            write(connection, 3)
        write(connection, 30)
        connection.execute("set constraints all immediate")
        assert connection.execute(updated).fetchone() == (3,)  # and not one for each of 62
        write(connection, 1)
    found = verify(connection)
    assert (found.rows, found.faults) == (63, [])


@pytest.mark.parametrize(
    ("done", "told"),
    [
        ("update ops.audit set reason = 'phiếu 9' where details ->> 'n' = '2'", {"CHANGED"}),
        ("update ops.audit set at = at + interval '1 microsecond' where details ->> 'n' = '0'", {"CHANGED"}),
        (
            "update ops.audit set details = details || '{\"b\": [1.6, null, \"Đ\"]}' where details ->> 'n' = '0'",
            {"CHANGED"},
        ),
        ("delete from ops.audit where details ->> 'n' = '3'", {"CHANGED"}),
        (
            "with l as (delete from ops.audit_link where number = 3) delete from ops.audit where details ->> 'n' = '2'",
            {"GAP"},
        ),
        ("insert into ops.audit (who, action, reason) values ('x', 'y', 'z')", {"UNLINKED"}),
        ("update ops.audit_head set number = 4", {"HEAD"}),
        ("update ops.audit_link set link = sha256('x') where number = 5", {"CHANGED", "HEAD"}),
        ("update ops.audit_link set number = number + 100 where number = 4", {"GAP"}),
    ],
)
def test_whatever_is_done_to_it_is_told(connection: psycopg.Connection, done: str, told: set[str]) -> None:
    write(connection)
    if not done.startswith(("insert", "update ops.audit_head")):
        with pytest.raises(psycopg.Error, match="append-only"):
            connection.execute(done)  # type: ignore[call-overload]
    assert codes(connection) == []
    unguarded(connection, done)
    assert set(codes(connection)) >= told


def test_one_that_was_cut_short_with_its_head_is_told_by_what_was_noted(connection: psycopg.Connection) -> None:
    write(connection)
    noted = verify(connection).head
    unguarded(connection, "delete from ops.audit_link where number > 3")
    unguarded(connection, "delete from ops.audit where audit_id not in (select audit_id from ops.audit_link)")
    unguarded(
        connection, "update ops.audit_head h set number = 3, link = l.link from ops.audit_link l where l.number = 3"
    )
    assert codes(connection) == []
    assert codes(connection, noted) == ["NOT_EXPECTED"]
    for wrong in ("", "5", "x:" + 64 * "0", "5:abc"):
        with pytest.raises(BadLink):
            verify(connection, wrong)


def test_decisions_are_in_it_without_their_words(connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into intake.closing (kind, dataset, period, reason, decided_by) "
        "values ('close', 'villages', '2026-Q2', 'Ông Bình gửi', 'An')"
    )
    (said,) = entries(connection)
    assert (said["action"], said["who"], said["dataset"], said["reason"]) == ("close", "An", "villages", "closing 1")
    assert "Bình" not in str(said) and codes(connection) == []
    with pytest.raises(psycopg.Error, match="append-only"):
        connection.execute("update intake.closing set reason = 'x'")
    unguarded(connection, "update intake.closing set reason = 'Bà Cúc gửi'")
    assert codes(connection) == ["DECISION"]
    unguarded(connection, "delete from intake.closing")
    assert codes(connection) == ["LOST"]


def test_switching_reminders_is_a_decision_too(database_url: str) -> None:
    _migrate_to(database_url, "0027")
    switch = "insert into ops.reminder_switch (sending, who, reason) values (%s, 'An', 'Bà Cúc nhờ')"
    with psycopg.connect(database_url, autocommit=True) as old:
        old.execute(switch, [True])
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as new:
        new.execute(switch, [False])
        assert [(e["who"], e["action"], e["reason"]) for e in entries(new)] == [
            ("An", "reminders off", "switch 2"), ("An", "reminders on", "switch 1"),
        ]  # fmt: skip
        assert codes(new) == [] and "Cúc" not in str(entries(new))
        unguarded(new, "update ops.reminder_switch set sending = true")
        assert codes(new) == ["DECISION"]


def test_a_log_of_before_is_linked_by_the_migration(database_url: str) -> None:
    _migrate_to(database_url, "0019")
    with psycopg.connect(database_url, autocommit=True) as old:
        write(old)
        old.execute(
            "insert into intake.closing (kind, dataset, period, reason, decided_by) values ('close', 'x', '2026', 'r', 'An')"
        )
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as new:
        found = verify(new)
        assert (found.rows, found.faults) == (6, [])
        write(new)
        assert (verify(new).rows, codes(new)) == (11, [])


def test_decisions_that_came_as_files_before_are_told_by_the_migration(database_url: str) -> None:
    _migrate_to(database_url, "0023")
    with psycopg.connect(database_url, autocommit=True) as old:
        contract = load_contracts([builtin_folder()])["hold_decisions"]
        for statement in (*statements(contract), _rows_view(contract)):
            old.execute(statement)  # type: ignore[call-overload]
        old.execute(
            "insert into intake.delivery values ('D1', 'x', 1, 'SNV', '2026', 'a.xlsx', 'o', now(), '{}', 'read');"
            "insert into intake.submission (submission_id, delivery_id, dataset, sender, received_at, sha256, content, file_name, "
            "state) values ('S1', 'D1', 'hold_decisions', 'SNV', now(), 'x', 'x', 'a.xlsx', 'accepted');"
            "insert into core.standing (submission_no, dataset, standing, assessment_no, publish_from) "
            "select submission_no, dataset, 'in_force', 1, 0 from intake.submission;"
            "insert into staging.hold_decisions (_assessment, _sheet, _row, _key, _value, _ok, submission, predecessor, decision, "
            "reason, decided_by) values (1, 0, 2, 1, 1, true, 'S0123456789a', 'KHONG_CO', 'REFUSE', 'Bà Cúc', 'Lý Thị Đào');"
            "insert into vault.ticket (login, dataset, purpose, until) values ('an', 'staff', 'x', now() + interval '1 hour')"
        )
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as new:
        (one,) = entries(new)
        assert (one["who"], one["action"], one["reason"]) == ("SNV", "refuse", "filed 1")
        assert (one["details"]["filed_in"], one["details"]["row"], one["details"].get("submission")) == ("S1", 2, None)
        assert codes(new) == []
        # a ticket that was open goes on, and its readings are counted
        assert new.execute("select count(*) from pg_sequences where sequencename ~ '^_reader_'").fetchone() == (1,)


@given(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1, max_size=20),
    st.integers(0, 4),
)
@settings(max_examples=20)
def test_any_other_word_breaks_the_link(connection: psycopg.Connection, word: str, which: int) -> None:
    if not entries(connection):
        write(connection)
    rows: list[Any] = sorted(entries(connection), key=lambda e: e["audit_id"])
    unguarded(connection, f"update ops.audit set reason = {_quoted(word)} where audit_id = {rows[which]['audit_id']}")
    assert codes(connection) == (["CHANGED"] if word != rows[which]["reason"] else [])
    unguarded(
        connection,
        f"update ops.audit set reason = {_quoted(rows[which]['reason'])} where audit_id = {rows[which]['audit_id']}",
    )
    assert codes(connection) == []


def _quoted(word: str) -> str:
    return psycopg.sql.Literal(word).as_string()


def _migrate_to(url: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[3] / "schemas" / "migrations"))
    with create_engine(sqlalchemy_url(url)).begin() as bound:
        config.attributes["connection"] = bound
        command.upgrade(config, revision)
